"""Files in memory. Needs: AsyncToAPIs.images.read"""

from typing import assert_type

from toapis_async import AsyncToAPIs, FileBytes, GenerationTask


async def read(client: AsyncToAPIs, task: GenerationTask) -> None:
    files = await client.images.read(task)
    assert_type(files, tuple[FileBytes, ...])
    for file in files:
        assert_type(file.data, bytes)
        assert_type(file.mime, str)
        assert_type(file.sha256, str)
        assert_type(file.width, int | None)
