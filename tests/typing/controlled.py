"""A session that is steered while it runs. Needs: GenerationSession.find GenerationSession.park Job.cancel"""

from typing import assert_type

from toapis_async import GenerationSession, ImageRequest


async def steered(session: GenerationSession) -> None:
    job = await session.submit(ImageRequest("a red fox"))
    assert_type(job.key, str | None)
    assert_type(job.task_id, str | None)
    print(job.state)
    job.cancel()
    print(await session.find("row-17"))
    await session.retry("row-17")
    async for record in session.records(state="paid"):
        print(record)
    session.set_limits(max_concurrency=50, max_cost_usd="20")
    session.pause()
    session.unpause()
    session.spent("tenant-7")
    await session.park()
