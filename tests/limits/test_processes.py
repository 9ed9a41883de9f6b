"""Real processes on one account, against the gateway in miniature; one of them is killed."""

import asyncio
import os
import signal
import sys

import pytest

from toapis_async.limits.lease_owner import Terms
from toapis_async.limits.machine_owner import MachineOwner
from toapis_async.policy.pace.sharing.leases import Report
from toapis_async.testing import Scenario, Simulator
from toapis_async.values.limits import RateLimits

RATES = RateLimits(submit_per_second=40.0, submit_burst=40, query_per_second=400.0, query_burst=400)
# A little more than that, since requests bunch on their way.
GATEWAY = RateLimits(submit_per_second=50.0, submit_burst=60, query_per_second=400.0, query_burst=400)
WORKER = """
import asyncio, sys
from toapis_async import AsyncToAPIs, ImageRequest, RateLimits
from toapis_async.limits import SharedRateLimits

async def main(key, url, directory, limits):
    limits = SharedRateLimits.on_this_machine(directory=directory, account="a", rate_limits=eval(limits))
    async with AsyncToAPIs(api_key=key, base_url=url, rate_limits=limits) as client:
        async def caller():
            while True:
                await client.images.submit(ImageRequest("a cat"))
                print(flush=True)
        await asyncio.gather(*(caller() for _ in range(20)))

asyncio.run(main(*sys.argv[1:]))
"""


class Workers:
    """Processes that submit, and how much each of them has got."""

    def __init__(self, simulator, directory, limits):
        self.arguments = [WORKER, simulator.api_key, simulator.base_url, str(directory), repr(limits)]
        self.counts, self.processes, self.readers = [], [], []

    async def start(self, count):
        for _ in range(count):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", *self.arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
            )
            self.counts.append(0)
            self.processes.append(process)
            self.readers.append(asyncio.create_task(self.count(len(self.counts) - 1, process)))

    async def count(self, number, process):
        while await process.stdout.readline():
            self.counts[number] += 1

    async def until(self, condition):
        while not condition():
            await asyncio.sleep(0.01)

    async def end(self):
        for process in self.processes:
            if process.returncode is None:
                process.kill()
            await process.wait()
        await asyncio.gather(*self.readers)


@pytest.fixture
async def place(tmp_path):
    """Run a gateway with limits and workers on one account; ended with the test."""
    tmp_path.chmod(0o700)
    running = []

    async def start(count):
        simulator = Simulator(Scenario(tier=GATEWAY))
        await simulator.__aenter__()
        workers = Workers(simulator, tmp_path, RATES)
        running.append((simulator, workers))
        await workers.start(count)
        await workers.until(lambda: min(workers.counts) >= 20)
        return simulator, workers

    yield start
    for simulator, workers in running:
        await workers.end()
        await simulator.__aexit__(None, None, None)


@pytest.mark.parametrize("count", [2, 4, 8])
async def test_their_parts_are_alike(place, count):
    """From any moment on, each of them gets about as much as the others, and together they pass no limit."""
    simulator, workers = await place(count)
    before = list(workers.counts)
    await workers.until(lambda: sum(workers.counts) - sum(before) >= 40 * count)
    gained = [now - then for now, then in zip(workers.counts, before, strict=True)]
    assert max(abs(part - sum(gained) / count) for part in gained) <= 0.35 * sum(gained) / count
    assert simulator.books.posts == simulator.books.accepted


async def test_a_killed_one_is_missed_at_once(place, tmp_path):
    """After ``kill -9`` the next report finds it gone, and the others have its part."""
    simulator, workers = await place(4)
    os.kill(workers.processes[0].pid, signal.SIGKILL)
    await workers.processes[0].wait()
    owner = MachineOwner.named("a", Terms(limits=RATES, fixed=True), directory=tmp_path)
    lease = await owner.exchange(Report(worker="x", at=0.0, process=owner.process))
    before = simulator.books.accepted
    await workers.until(lambda: simulator.books.accepted - before >= 60)
    leaving = await owner.exchange(Report(worker="x", at=0.0, process=owner.process, leaving=True))
    await owner.aclose()
    assert (lease.workers, leaving.workers) == (4, 4)
