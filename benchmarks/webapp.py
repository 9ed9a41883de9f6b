"""The FastAPI example under load: many customers at once, workers killed in mid-run, a restart with tasks in flight.

Needs redis-server. Simulator, two uvicorn workers and the customers share the machine; ``idle`` is the lag of a
process that does nothing, for comparison.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from array import array
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from toapis_async.testing import Constant, Scenario, Simulator

HERE = Path(__file__).parent
SECRET = "0123456789abcdef0123456789abcdef"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=2000)
    parser.add_argument("--in-flight", type=int, default=200, help="tasks in flight at the SIGTERM")
    parser.add_argument("--latency", type=float, default=5.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = asyncio.run(load(options)) | asyncio.run(restart(options))
    for name, value in found.items():
        print(f"{name:<42} {value}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


async def load(options: argparse.Namespace) -> dict[str, object]:
    async with program("measured_app:app", latency=options.latency) as app:
        await customers(app, 60, "warm")
        await asyncio.sleep(2)
        before = app.memory()
        started = time.monotonic()
        shopping = asyncio.create_task(customers(app, options.customers, "poster"))
        killed = []
        for _ in range(2):
            await asyncio.sleep(4)
            workers = [pid for pid in app.workers() if pid not in killed]
            killed.append(workers[len(killed) % len(workers)])
            os.kill(killed[-1], signal.SIGKILL)
        served = await shopping
        took = time.monotonic() - started
        await asyncio.sleep(3)
        once = app.memory()
        lags, idle = app.lags(), sorted(json.loads((app.directory / "idle.json").read_text()))
        served += await customers(app, options.customers, "again")
        await asyncio.sleep(3)
        books = app.books()
        waits = sorted(lag for figures in lags.values() for lag in figures["lags"])
        busy = sorted(lag for figures in lags.values() for lag in figures["busy"])
        return {
            "customers": f"{options.customers}, and again {options.customers}",
            "served": served,
            "workers killed in the first round": len(killed),
            "seconds of the first round": round(took, 1),
            "accepted by the gateway (60 to warm up)": books["accepted"],
            "bought twice": books["duplicates"],
            "loop lag p50, p99, max (ms)": [round(1e3 * waits[int(q * (len(waits) - 1))], 1) for q in (0.5, 0.99, 1)],
            "of it busy p99 (ms)": round(1e3 * busy[int(0.99 * (len(busy) - 1))], 1),
            "idle process lag p99 (ms)": round(1e3 * idle[int(0.99 * (len(idle) - 1))], 1),
            "memory before, by worker (MiB)": before,
            "memory after the first round (MiB)": once,
            "memory after the second (MiB)": app.memory(),
        }


async def restart(options: argparse.Namespace) -> dict[str, object]:
    async with program("measured_app:app", latency=20.0) as app:
        async with aiohttp.ClientSession(app.url, connector=aiohttp.TCPConnector(limit=100)) as browser:
            await asyncio.gather(*(order(browser, f"late-{number}") for number in range(options.in_flight)))
            while app.books()["accepted"] < options.in_flight:
                await asyncio.sleep(0.05)
        began = time.monotonic()
        app.process.terminate()
        await app.process.wait()
        out = time.monotonic() - began
        await app.start()
        async with aiohttp.ClientSession(app.url, connector=aiohttp.TCPConnector(limit=100)) as browser:
            served = sum(
                await asyncio.gather(*(fetched(browser, f"late-{number}") for number in range(options.in_flight)))
            )
        return {
            "in flight at SIGTERM": options.in_flight,
            "out after (s)": round(out, 2),
            "resumed and served": served,
            "bought twice then": app.books()["duplicates"],
        }


async def customers(app: "App", count: int, name: str) -> int:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(app.url, connector=connector) as browser:
        return sum(await asyncio.gather(*(customer(browser, f"{name}-{number}") for number in range(count))))


async def customer(browser: aiohttp.ClientSession, key: str) -> bool:
    await order(browser, key)
    return await fetched(browser, key)


async def order(browser: aiohttp.ClientSession, key: str) -> None:
    """Order, and ask again under the same key for as long as there is no answer."""
    while True:
        try:
            async with browser.post("/posters", json={"prompt": key}, headers={"Idempotency-Key": key}) as answer:
                if answer.status == 202:
                    return
                raise SystemExit(f"{answer.status}: {await answer.text()}")
        except (aiohttp.ClientError, OSError):
            await asyncio.sleep(0.2)


async def fetched(browser: aiohttp.ClientSession, key: str) -> bool:
    """Listen until the picture is there, again after each broken connection, and fetch it."""
    while True:
        try:
            async with browser.get(f"/posters/{key}/events", timeout=aiohttp.ClientTimeout(total=None)) as events:
                async for _ in events.content:
                    pass
            async with browser.get(f"/posters/{key}") as answer:
                job = await answer.json()
            if job["state"] == "failed":
                return False
            if job["state"] == "saved":
                async with browser.get(f"/posters/{key}/files/0") as picture:
                    return len(await picture.read()) == job["files"][0]["bytes"]
        except (aiohttp.ClientError, OSError):
            pass
        await asyncio.sleep(0.5)


class App:
    """The example under two workers, its Redis and its gateway."""

    def __init__(self, name: str, directory: Path, pipe: object, environment: dict[str, str]) -> None:
        self.name, self.directory, self.pipe, self.environment = name, directory, pipe, environment
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        command = [sys.executable, "-m", "uvicorn", self.name, "--workers", "2", "--port", str(self.port)]
        command += ["--timeout-graceful-shutdown", "1", "--log-level", "error", "--backlog", "4096"]
        self.process = await asyncio.create_subprocess_exec(*command, cwd=HERE, env=os.environ | self.environment)
        await answering(self.port)

    def workers(self) -> list[int]:
        """The processes that have written figures and live."""
        pids = [int(path.stem.removeprefix("lag-")) for path in self.directory.glob("lag-*.json")]
        return sorted(pid for pid in pids if Path(f"/proc/{pid}").exists())

    def memory(self) -> dict[int, int]:
        """What the living workers occupy, in MiB."""
        lags = self.lags()
        return {pid: round(lags[pid]["memory_mib"]) for pid in self.workers() if pid in lags}

    def lags(self) -> dict[int, dict[str, object]]:
        found = {}
        for path in self.directory.glob("lag-*.json"):
            try:
                figures = json.loads(path.read_text())
                samples = array("d", path.with_suffix(".bin").read_bytes())
            except (ValueError, OSError):
                continue  # killed while it wrote
            half = len(samples) // 2
            figures |= {"lags": samples[:half], "busy": samples[half:]}
            found[int(path.stem.removeprefix("lag-"))] = figures
        return found

    def books(self) -> dict[str, int]:
        self.pipe.send("books")
        return self.pipe.recv()


@asynccontextmanager
async def program(name: str, *, latency: float):
    directory = Path(tempfile.mkdtemp(prefix="toapis-webapp-"))
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    gateway = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, latency), daemon=True)
    gateway.start()
    idle = multiprocessing.get_context("spawn").Process(target=rest, args=(directory / "idle.json",), daemon=True)
    idle.start()
    port = free_port()
    command = [shutil.which("redis-server"), "--port", str(port), "--save", "", "--bind", "127.0.0.1"]
    redis = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    await answering(port)
    base_url, api_key = await asyncio.to_thread(ours.recv)
    environment = {
        "TOAPIS_API_KEY": api_key,
        "TOAPIS_BASE_URL": base_url,
        "TOAPIS_WEBHOOK_SECRET": SECRET,
        "REDIS_URL": f"redis://127.0.0.1:{port}/0",
        "POSTERS": str(directory),
    }
    app = App(name, directory, ours, environment)
    ours.send(f"{app.url}/toapis")
    try:
        await app.start()
        yield app
    finally:
        app.process.terminate()
        await app.process.wait()
        redis.kill()
        await redis.wait()
        gateway.kill()
        idle.kill()
        shutil.rmtree(directory)


def serve(pipe: object, latency: float) -> None:
    """Be the gateway, and tell its books when asked."""

    async def run() -> None:
        scenario = Scenario(files="small", small_bytes=20_000, latency=Constant(latency), tier="svip")
        async with Simulator(scenario) as sim:
            pipe.send((sim.base_url, sim.api_key))
            sim.set_webhook(await asyncio.to_thread(pipe.recv), secret=SECRET)
            while await asyncio.to_thread(pipe.recv):
                pipe.send({"accepted": sim.books.accepted, "duplicates": len(sim.books.duplicates)})

    asyncio.run(run())


def rest(path: Path) -> None:
    """Do nothing, and note how late one wakes up."""
    lags, written = [], time.monotonic()
    while True:
        before = time.monotonic()
        time.sleep(0.01)
        lags.append(time.monotonic() - before - 0.01)
        if time.monotonic() - written > 0.5:
            written = time.monotonic()
            path.write_text(json.dumps(lags))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def answering(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


if __name__ == "__main__":
    main()
