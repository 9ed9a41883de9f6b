"""Several processes on one account: what they get together, how fairly, and how fast a killed one is replaced.

    python benchmarks/shared_limits.py                    # all, about twelve minutes
    python benchmarks/shared_limits.py --processes 4 --only silent --through redis
    python benchmarks/shared_limits.py --table live       # an interactive caller beside a bulk run

The gateway is the simulator in a process of its own, and each worker is a process. They submit as fast as they may for
``--seconds``, all from the same moment. `of limit`: accepted submissions of all, of bucket and rate over that time.
`apart`: how far the worker that got most, and the one that got least, are from an equal part. `kill`: one worker is
killed with SIGKILL after ``--seconds``; seconds until the others have its part, or "-" where they do not.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager

RATE, BURST = 50.0, 50.0
SCENARIO = """
files = "small"
small_bytes = 4096
latency = 1.0
{silent}
[tier]
submit_per_second = {rate}
submit_burst = {burst}
query_per_second = 2000
query_burst = 2000
"""
SILENT = "rate_headers = false\nretry_after = false\n"


@contextmanager
def gateway(*, silent: bool):
    """Run the simulator."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(SCENARIO.format(silent=SILENT if silent else "", rate=RATE, burst=BURST))
        file.flush()
        command = [sys.executable, "-m", "toapis_async.testing", "--scenario", file.name]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            yield json.loads(server.stdout.readline())
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


@contextmanager
def sharing(through: str):
    """Give what workers share through: a directory, or a Redis of our own."""
    directory = tempfile.mkdtemp(prefix="toapis-limits-")
    server = None
    try:
        if through != "redis":
            yield directory if through == "machine" else through
            return
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = ["redis-server", "--port", str(port), "--save", "", "--bind", "127.0.0.1"]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=directory)
        yield f"redis://127.0.0.1:{port}"
    finally:
        if server is not None:
            server.kill()
            server.wait()
        shutil.rmtree(directory)


def limits_through(where: str):
    from toapis_async.limits import SharedRateLimits

    if where == "none":
        return "auto"
    if where.startswith("redis:"):
        return SharedRateLimits.redis(where)
    return SharedRateLimits.on_this_machine(directory=where)


async def submit_until(deadline: float, where: str, connection: dict[str, str], callers: int) -> None:
    """Submit as fast as is allowed; print the time of each that was accepted, and how many were refused."""
    from toapis_async import AsyncToAPIs, ImageRequest

    accepted = []
    async with AsyncToAPIs(
        api_key=connection["api_key"], base_url=connection["base_url"], rate_limits=limits_through(where)
    ) as client:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)

        async def caller() -> None:
            while time.monotonic() < deadline:
                await client.images.submit(ImageRequest("a cat"))
                print(f"{time.monotonic():.3f}", flush=True)
                accepted.append(1)

        tasks = [asyncio.create_task(caller()) for _ in range(callers)]
        await asyncio.sleep(max(0.0, deadline - time.monotonic()))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Worker:
    """A process of this file, and what it printed."""

    def __init__(self, role: str, deadline: float, where: str, connection: dict[str, str]) -> None:
        arguments = json.dumps([deadline, where, connection])
        self.output = tempfile.TemporaryFile("w+")  # noqa: SIM115 (read until the worker has ended)
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--role", role, "--arguments", arguments],
            stdin=subprocess.PIPE,
            stdout=self.output,
            text=True,
        )

    def wait_ready(self) -> None:
        while "ready" not in self.lines():
            if self.process.poll() is not None:
                raise SystemExit("a worker ended too early")
            time.sleep(0.05)

    def go(self) -> None:
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def lines(self) -> list[str]:
        return os.pread(self.output.fileno(), 100_000_000, 0).decode().split("\n")[:-1]

    def times(self) -> list[float]:
        return [float(line) for line in self.lines() if line != "ready"]

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def books(connection: dict[str, str]) -> dict[str, int]:
    return json.loads(urllib.request.urlopen(f"{connection['base_url']}/__admin/books").read())


def measure(processes: int, where: str, connection: dict[str, str], seconds: float) -> dict[str, float | str]:
    """Run the workers, then kill one."""
    after = 8.0 if processes > 1 else 0.0
    workers = [Worker("submit", time.monotonic() + 600, where, connection) for _ in range(processes)]
    try:
        for worker in workers:
            worker.wait_ready()
        begun = time.monotonic()
        for worker in workers:
            worker.go()
        time.sleep(seconds)
        killed = time.monotonic()
        said = books(connection)
        if processes > 1:
            workers[0].process.kill()
        time.sleep(after)
    finally:
        for worker in workers:
            worker.process.kill()
            worker.end()
    times = [[at for at in worker.times() if begun <= at < killed] for worker in workers]
    counts = [len(each) for each in times]
    rest = sorted(at for worker in workers[1:] for at in worker.times() if at >= killed)
    return {
        "of limit": sum(counts) / (BURST + RATE * (killed - begun)),
        "refused": (said["posts"] - said["accepted"]) / said["posts"],
        "apart": max(abs(count * processes / sum(counts) - 1.0) for count in counts),
        "counts": counts,
        "kill": recovery(rest, killed) if processes > 1 else "-",
    }


def recovery(times: list[float], killed: float) -> float | str:
    """Give the seconds from which on the others have all of the rate: 0.95 of it in the two seconds that follow."""
    for tenths in range(60):
        start = killed + tenths / 10
        if sum(start <= at < start + 2.0 for at in times) >= 0.95 * 2.0 * RATE:
            return tenths / 10
    return "-"


async def bulk_run(where: str, connection: dict[str, str]) -> None:
    """Run a session of 5,000 images until it is killed."""
    from toapis_async import AsyncToAPIs, ImageRequest, LearnedPolling

    async with AsyncToAPIs(
        api_key=connection["api_key"],
        base_url=connection["base_url"],
        rate_limits=limits_through(where),
        polling=LearnedPolling(min_interval=1.0),
    ) as client:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        with tempfile.TemporaryDirectory() as out:
            async with client.session(out, max_concurrency=500) as session:
                await session.run(ImageRequest(f"image {number}") for number in range(5000))


async def live_calls(where: str, connection: dict[str, str]) -> None:
    """Submit one image a second, and print the seconds that each took."""
    from toapis_async import AsyncToAPIs, ImageRequest

    async with AsyncToAPIs(
        api_key=connection["api_key"], base_url=connection["base_url"], rate_limits=limits_through(where)
    ) as client:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        while True:
            start = time.monotonic()
            await client.images.submit(ImageRequest("live"))
            print(f"{time.monotonic() - start:.3f}", flush=True)
            await asyncio.sleep(1.0)


def live(where: str, connection: dict[str, str], seconds: float, *, beside: bool) -> list[float]:
    """Measure live calls, alone or beside a bulk run of another process."""
    workers = [Worker("live", 0.0, where, connection)]
    if beside:
        workers.append(Worker("bulk", 0.0, where, connection))
    for worker in workers:
        worker.wait_ready()
    for worker in reversed(workers):
        worker.go()
        time.sleep(5.0 if beside else 0.0)
    time.sleep(seconds)
    for worker in workers:
        worker.process.kill()
        worker.end()
    return sorted(workers[0].times())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, nargs="*", default=[2, 4, 8])
    parser.add_argument("--only", choices=("headers", "silent"))
    parser.add_argument("--through", choices=("machine", "redis", "none"), default="machine")
    parser.add_argument("--table", choices=("shares", "live"))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--role", help=argparse.SUPPRESS)
    parser.add_argument("--arguments", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        deadline, where, connection = json.loads(options.arguments)
        roles = {"submit": lambda: submit_until(deadline, where, connection, 50)}
        roles |= {"bulk": lambda: bulk_run(where, connection), "live": lambda: live_calls(where, connection)}
        asyncio.run(roles[options.role]())
        return
    print(f"load of this machine: {', '.join(f'{load:.1f}' for load in os.getloadavg())}; {os.cpu_count()} cores")
    kinds = [options.only] if options.only else ["headers", "silent"]
    if options.table != "live":
        print("limits    processes   of limit   429 %   apart %   kill s")
        for kind in kinds:
            for processes in options.processes:
                with gateway(silent=kind == "silent") as connection, sharing(options.through) as where:
                    row = measure(processes, where, connection, options.seconds)
                print(
                    f"{kind:<9} {processes:>9} {row['of limit']:>10.3f} {row['refused'] * 100:>7.2f} "
                    f"{row['apart'] * 100:>9.1f} {row['kill']:>8}  {row['counts']}",
                    flush=True,
                )
    if options.table != "shares":
        print("live calls: seconds, median and longest")
        for kind in kinds:
            for beside in (False, True):
                with gateway(silent=kind == "silent") as connection, sharing(options.through) as where:
                    took = live(where, connection, options.seconds, beside=beside)
                name = "beside a bulk run" if beside else "alone"
                print(f"{kind:<9} {name:<18} {took[len(took) // 2]:.3f} {took[-1]:.3f} ({len(took)} calls)", flush=True)


if __name__ == "__main__":
    main()
