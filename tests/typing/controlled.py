"""A session that is steered while it runs. Needs: GenerationSession.find GenerationSession.park Job.cancel"""

from decimal import Decimal
from typing import assert_type

from toapis_async import GenerationSession, ImageRequest, Job


async def steered(session: GenerationSession) -> None:
    job = await session.submit(ImageRequest("a red fox"))
    assert_type(job.key, str)
    assert_type(job.task_id, str | None)
    print(job.state)
    assert_type(job.cancel(), bool)
    print(await session.find("row-17"))
    assert_type(await session.retry("row-17"), Job)
    async for record in session.records(state="paid"):
        print(record)
    session.set_limits(max_concurrency=50, max_cost_usd="20")
    session.pause()
    session.unpause()
    assert_type(session.spent("tenant-7"), Decimal)
    await session.park()
