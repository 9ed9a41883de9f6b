"""A run of the library in a process of its own, so that it can be killed. Started by the journeys, imported by none.

``python one_run.py '{"base_url": …, "directory": …, "prompts": 100, …}'`` with the key in TOAPIS_API_KEY; prints the
report as one line of JSON.
"""

import asyncio
import json
import sys
from pathlib import Path

from toapis_async import AsyncToAPIs, FixedPolling, ImageRequest
from toapis_async.errors import ToAPIsError

sys.path.insert(0, str(Path(__file__).parents[1]))
from hurried_clock import HurriedClock  # it lies beside this folder, which is no package


def prompt(number: int) -> str:
    """The prompt of an item; all differ."""
    return f"journey number {number}: a fox"


def requests(count: int):
    """The input of a run."""
    return (ImageRequest(prompt=prompt(number)) for number in range(count))


async def run(options: dict) -> dict:
    """Make the run that the options describe."""
    clock = HurriedClock(options.get("speed", 1.0))
    client = AsyncToAPIs(
        base_url=options["base_url"],
        rate_limits=None,
        polling=FixedPolling(options.get("polling", 5.0)),
        timeout=20.0,
        clock=clock,
    )
    async with client, client.session(options["directory"], **options.get("session", {})) as session:
        stopped = None
        try:
            if options.get("resume"):
                async for _ in session.resume():
                    pass
            else:
                await session.run(requests(options["prompts"]))
        except ToAPIsError as error:
            stopped = type(error).__name__
    report = session.report
    counts = {name: getattr(report, name) for name in ("saved", "skipped", "failed", "unfinished", "unknown")}
    return {**counts, "seconds": report.seconds, "complete": report.complete, "stopped": stopped}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(json.loads(sys.argv[1])))), flush=True)
