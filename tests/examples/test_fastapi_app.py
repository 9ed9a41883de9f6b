"""docs/examples/fastapi_app.py under two uvicorn workers that share a directory and a Redis."""

import asyncio
import json
import os
import signal

import pytest

pytestmark = [pytest.mark.examples, pytest.mark.redis]

UVICORN = (
    *("-m", "uvicorn", "fastapi_app:app", "--workers", "2", "--port", "{port}"),
    *("--timeout-graceful-shutdown", "1", "--log-level", "warning"),
)


@pytest.fixture
def shop(running, redis_url):
    return lambda **settings: running(*UVICORN, environment={"REDIS_URL": redis_url}, **settings)


async def order(browser, prompt, key=None):
    headers = {} if key is None else {"Idempotency-Key": key}
    async with browser.post("/posters", json={"prompt": prompt}, headers=headers) as answer:
        assert answer.status == 202
        return (await answer.json())["id"]


async def state(browser, job_id):
    async with browser.get(f"/posters/{job_id}") as answer:
        assert answer.status == 200
        return await answer.json()


async def saved(browser, job_id):
    while (job := await state(browser, job_id))["state"] != "saved":
        assert job["state"] != "failed"
        await asyncio.sleep(0.1)
    async with browser.get(f"/posters/{job_id}/files/0") as picture:
        assert len(await picture.read()) == job["files"][0]["bytes"]


async def workers(browser):
    """Ask until both workers have answered."""
    found = {}
    while len(found) < 2:
        async with browser.get("/health", headers={"Connection": "close"}) as answer:
            health = await answer.json()
            found[health["pid"]] = health
    return found


async def test_orders_are_made_told_and_fetched(shop):
    """Webhooks reach whichever worker waits, so that hardly anybody looks; any worker answers for any order."""
    async with shop() as (sim, _, browser):
        orders = await asyncio.gather(*(order(browser, f"fox {number}") for number in range(20)))
        async with browser.get(f"/posters/{orders[0]}/events") as events:
            told = [json.loads(line[6:])["state"] async for line in events.content if line.startswith(b"data: ")]
        await asyncio.gather(*(saved(browser, one) for one in orders))
        looks = sum(health["looks"] for health in (await workers(browser)).values())
    assert told[-1] == "saved"
    assert looks <= 2
    assert (sim.books.accepted, sim.books.duplicates) == (20, {})
    assert sim.books.webhooks["delivered"] == 20


async def test_a_customer_who_goes_away_finds_the_poster(shop):
    """The connection breaks before the answer: the same key finds the order, which is paid once."""
    async with shop() as (sim, program, browser):
        reader, writer = await asyncio.open_connection("127.0.0.1", program.port)
        body = json.dumps({"prompt": "a fox"}).encode()
        head = f"POST /posters HTTP/1.1\r\nHost: x\r\nIdempotency-Key: ann-7\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
        await writer.drain()
        writer.transport.abort()
        assert await order(browser, "a fox", key="ann-7") == "ann-7"
        await saved(browser, "ann-7")
    assert (sim.books.accepted, sim.books.duplicates) == (1, {})
    assert reader is not None


async def test_a_worker_is_killed_in_mid_run(shop):
    """Every order that was accepted is made and served, by the other worker or by the next one; none twice."""
    async with shop() as (sim, _, browser):
        pids = list(await workers(browser))
        orders = [await order(browser, f"fox {number}") for number in range(30)]
        os.kill(pids[0], signal.SIGKILL)
        await asyncio.gather(*(saved(browser, one) for one in orders))
        assert pids[0] not in await workers(browser)
    assert (sim.books.accepted, sim.books.duplicates) == (30, {})


async def test_the_program_is_restarted_in_mid_run(shop):
    """SIGTERM with orders in flight ends it soon; started again, it brings all of them to their end."""
    async with shop(latency=4.0) as (sim, program, browser):
        orders = [await order(browser, f"fox {number}") for number in range(30)]
        while sim.books.accepted < 30:
            await asyncio.sleep(0.05)
        await program.stop()
        assert program.process.returncode == 0
        await program.start()
        await asyncio.gather(*(saved(browser, one) for one in orders))
    assert (sim.books.accepted, sim.books.duplicates) == (30, {})
