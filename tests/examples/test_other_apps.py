"""docs/examples/aiohttp_app.py and taskiq_app.py."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from toapis_async.testing import Constant, Scenario, Simulator

pytestmark = [pytest.mark.examples]
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


async def test_aiohttp_app(running):
    """An order is made on its webhook, waited for, fetched, over a restart; a wrong one is a problem."""
    async with running("aiohttp_app.py", "{port}", latency=2.0) as (sim, program, browser):
        async with browser.post("/posters", json={"prompt": ""}) as wrong:
            assert (wrong.status, (await wrong.json())["error"]) == (422, "InvalidRequestError")
        async with browser.post("/posters", json={"prompt": "a fox"}, headers={"Idempotency-Key": "ann-7"}) as made:
            assert (made.status, (await made.json())["id"]) == (202, "ann-7")
        while not sim.books.accepted:
            await asyncio.sleep(0.02)
        await program.stop()
        await program.start()
        async with browser.get("/posters/ann-7?wait=20") as told:
            assert (await told.json()) == {"id": "ann-7", "state": "saved", "files": 1}
        async with browser.get("/posters/ann-7/picture") as picture:
            assert picture.content_type.startswith("image/")
        async with browser.get("/posters/nobody") as missing:
            assert missing.status == 404
    assert (sim.books.accepted, sim.books.duplicates) == (1, {})


MESSAGES = """
import asyncio
from taskiq_app import broker, make_poster

async def main():
    await broker.startup()
    first, again = [await make_poster.kicker().with_task_id("one").kiq("a fox") for _ in range(2)]
    for task in (first, again):
        print((await task.wait_result(timeout=120)).return_value)
    await broker.shutdown()

asyncio.run(main())
"""


async def test_taskiq_app(tmp_path):
    """A message that is delivered twice is one picture, and both deliveries have it."""
    async with Simulator(Scenario(files="small", latency=Constant(0.5))) as sim:
        given = {"TOAPIS_API_KEY": sim.api_key, "TOAPIS_BASE_URL": sim.base_url, "POSTERS": str(tmp_path / "posters")}
        environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"} | given
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-c", MESSAGES, cwd=EXAMPLES, env=environment, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await program.communicate()
    first, again = said.decode().splitlines()
    assert first == again
    assert first.startswith("['")
    assert (sim.books.accepted, sim.books.duplicates) == (1, {})
