"""Names of downloaded files. Needs: AsyncToAPIs.images.download(name)"""

from typing import assert_type

from toapis_async import AsyncToAPIs, GenerationTask, SavedFile


async def named(client: AsyncToAPIs, task: GenerationTask) -> None:
    assert_type(await client.images.download(task, "out/", name="{id}-{index}"), tuple[SavedFile, ...])
