"""Files in memory. Needs: AsyncToAPIs.images.read"""

from typing import assert_type

from toapis_async import AsyncToAPIs, GenerationTask


async def read(client: AsyncToAPIs, task: GenerationTask) -> None:
    for file in await client.images.read(task):
        assert_type(file.data, bytes)
        assert_type(file.mime, str)
        assert_type(file.sha256, str)
        assert_type(file.width, int | None)
