"""Files decoded and written into. Needs: AsyncToAPIs.session(embed_metadata)"""

from typing import assert_type

from toapis_async import AsyncToAPIs, FileBytes, GenerationTask, ImageRequest, SavedFile


async def finished(task: GenerationTask) -> None:
    async with AsyncToAPIs(verify="decode") as client:
        files = await client.images.download(
            task, "out/", verify="structure", embed_metadata=True, prompt="a fox", seed=7
        )
        assert_type(files, tuple[SavedFile, ...])
        assert_type(await client.images.read(task, verify="decode"), tuple[FileBytes, ...])
        async with client.session("out/", verify="decode", embed_metadata=True) as session:
            await session.run([ImageRequest("a fox")])
