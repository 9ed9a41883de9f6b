"""How soon a result is there after the task's end, and how often it was looked at, with webhooks and without.

The simulator runs in a process of its own and knows when each task ended. ``--lost`` and ``--doubled`` are shares of
the events.
"""

import argparse
import asyncio
import json
import multiprocessing
import statistics
import time
from collections import Counter
from pathlib import Path

from aiohttp import web

from toapis_async import AsyncToAPIs, TaskFinished
from toapis_async.testing import Drop, Fault, LogNormal, Scenario, Simulator
from toapis_async.testing.scenario.webhook_faults import Repeat
from toapis_async.webhooks import WebhookInbox

SECRET = "0123456789abcdef0123456789abcdef"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--in-flight", type=int, default=200)
    parser.add_argument("--latency", type=float, default=5.0)
    parser.add_argument("--lost", type=float, default=0.2)
    parser.add_argument("--doubled", type=float, default=0.2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = {
        "webhooks": measure(options, webhooks=True),
        f"{options.lost:.0%} lost, {options.doubled:.0%} doubled": measure(
            options, webhooks=True, lost=options.lost, doubled=options.doubled
        ),
        "looks only": measure(options, webhooks=False),
    }
    print(f"{options.tasks} tasks of {options.latency:g} s (sigma 0.35), {options.in_flight} in flight")
    print(f"{'':<24} mean delay   median      p99   looks/task   ended   told twice   charged twice")
    for name, row in rows.items():
        print(
            f"{name:<24} {row['mean'] * 1e3:7.0f} ms {row['median'] * 1e3:5.0f} ms {row['p99'] * 1e3:5.0f} ms "
            f"{row['looks']:12.3f} {row['ended']:7.0f} {row['twice']:12.0f} {row['duplicates']:15.0f}"
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


def measure(
    options: argparse.Namespace, *, webhooks: bool, lost: float = 0.0, doubled: float = 0.0
) -> dict[str, float]:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    gateway = multiprocessing.get_context("spawn").Process(
        target=serve, args=(theirs, options.latency, lost, doubled), daemon=True
    )
    gateway.start()
    try:
        base_url, api_key = ours.recv()
        return asyncio.run(ask(ours, base_url, api_key, options, webhooks=webhooks))
    finally:
        gateway.kill()
        gateway.join()


async def ask(
    pipe: object, base_url: str, api_key: str, options: argparse.Namespace, *, webhooks: bool
) -> dict[str, float]:
    inbox, finished, returned = WebhookInbox(SECRET), Counter(), {}
    slots = asyncio.Semaphore(options.in_flight)

    def hear(event: object) -> None:
        if isinstance(event, TaskFinished):
            finished[event.task_id] += 1

    async def one(client: AsyncToAPIs, number: int) -> None:
        async with slots:
            task = await client.images.generate(prompt=f"fox {number}")
            returned[task.id] = time.time()

    async with served(inbox) as url:
        source = {"webhooks": inbox} if webhooks else {}
        async with AsyncToAPIs(api_key=api_key, base_url=base_url, rate_limits=None, on_event=hear, **source) as client:
            pipe.send(url if webhooks else None)
            for number in range(5):  # until it is known that events come
                await one(client, -1 - number)
            warm, before = set(returned), client.metrics().looks
            await asyncio.gather(*(one(client, number) for number in range(options.tasks)))
            looks = client.metrics().looks - before
    pipe.send(None)
    ends, duplicates = await asyncio.to_thread(pipe.recv)
    delays = sorted(at - ends[task_id] for task_id, at in returned.items() if task_id not in warm)
    return {
        "mean": statistics.mean(delays),
        "median": statistics.median(delays),
        "p99": delays[int(0.99 * len(delays))],
        "looks": looks / options.tasks,
        "ended": len(delays),
        "twice": sum(count > 1 for count in finished.values()),
        "duplicates": duplicates,
    }


class served:  # noqa: N801
    """Serve an inbox on loopback."""

    def __init__(self, inbox: WebhookInbox) -> None:
        app = web.Application()
        app.router.add_post("/toapis", inbox.aiohttp_handler)
        self.runner = web.AppRunner(app, access_log=None)

    async def __aenter__(self) -> str:
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0, backlog=1024).start()
        return f"http://127.0.0.1:{self.runner.addresses[0][1]}/toapis"

    async def __aexit__(self, *exc_info: object) -> None:
        await self.runner.cleanup()


def serve(pipe: object, latency: float, lost: float, doubled: float) -> None:
    """Be the gateway: tell where, hear the webhook's address, and tell in the end when each task ended."""

    async def run() -> None:
        faults = [
            Fault(where="webhook", what=Drop(), probability=lost),
            Fault(where="webhook", what=Repeat(), probability=doubled),
        ]
        scenario = Scenario(
            files="small",
            latency=LogNormal(median=latency, sigma=0.35),
            faults=[fault for fault in faults if fault.probability],
        )
        async with Simulator(scenario) as sim:
            pipe.send((sim.base_url, sim.api_key))
            url = await asyncio.to_thread(pipe.recv)
            if url is not None:
                sim.set_webhook(url, secret=SECRET)
            await asyncio.to_thread(pipe.recv)
            pipe.send(({task.id: task.ends_at for task in sim.gateway.tasks.values()}, len(sim.books.duplicates)))

    asyncio.run(run())


if __name__ == "__main__":
    main()
