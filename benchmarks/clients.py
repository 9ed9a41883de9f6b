"""The clients that are compared; each makes the same images from the same gateway in a process of its own.

Every client submits, looks after the same fixed interval, downloads and writes one file per image, with the same
number of tasks in flight. ``by_hand`` is the script that one would write: no journal, no check, no sync, no retry.
"""

import argparse
import asyncio
import json
import resource
import sys
import time
from pathlib import Path

MODEL = "gemini-2.5-flash-image-preview"


async def by_hand(base: str, out: Path, images: int, in_flight: int, interval: float) -> None:
    import aiohttp

    slots = asyncio.Semaphore(in_flight)
    headers = {"Authorization": "Bearer sk-benchmark"}

    async def one(session: aiohttp.ClientSession, files: aiohttp.ClientSession, number: int) -> None:
        body = {"model": MODEL, "prompt": f"image {number}", "size": "1:1", "n": 1}
        async with session.post(f"{base}/v1/images/generations", json=body) as reply:
            task = await reply.json()
        while task["status"] not in {"completed", "failed"}:
            await asyncio.sleep(interval)
            async with session.get(f"{base}/v1/images/generations/{task['id']}") as reply:
                task = await reply.json()
        async with files.get(task["result"]["data"][0]["url"]) as reply:
            data = await reply.read()
        (out / f"{number}.png").write_bytes(data)

    async def bounded(session: aiohttp.ClientSession, files: aiohttp.ClientSession, number: int) -> None:
        try:
            await one(session, files, number)
        finally:
            slots.release()

    connector = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(headers=headers, connector=connector) as session,
        aiohttp.ClientSession() as files,
        asyncio.TaskGroup() as group,
    ):
        for number in range(images):
            await slots.acquire()
            group.create_task(bounded(session, files, number))


async def over_httpx(base: str, out: Path, images: int, in_flight: int, interval: float) -> None:
    import httpx

    slots = asyncio.Semaphore(in_flight)
    limits = httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
    headers = {"Authorization": "Bearer sk-benchmark"}

    async def one(session: httpx.AsyncClient, files: httpx.AsyncClient, number: int) -> None:
        try:
            body = {"model": MODEL, "prompt": f"image {number}", "size": "1:1", "n": 1}
            task = (await session.post(f"{base}/v1/images/generations", json=body)).json()
            while task["status"] not in {"completed", "failed"}:
                await asyncio.sleep(interval)
                task = (await session.get(f"{base}/v1/images/generations/{task['id']}")).json()
            data = (await files.get(task["result"]["data"][0]["url"])).content
            (out / f"{number}.png").write_bytes(data)
        finally:
            slots.release()

    async with (
        httpx.AsyncClient(headers=headers, limits=limits, timeout=60) as session,
        httpx.AsyncClient(limits=limits, timeout=60) as files,
        asyncio.TaskGroup() as group,
    ):
        for number in range(images):
            await slots.acquire()
            group.create_task(one(session, files, number))


def threads_and_requests(base: str, out: Path, images: int, in_flight: int, interval: float) -> None:
    from concurrent.futures import ThreadPoolExecutor
    from threading import local

    import requests

    store = local()

    def session() -> requests.Session:
        if not hasattr(store, "session"):
            store.session = requests.Session()
        return store.session

    def one(number: int) -> None:
        headers = {"Authorization": "Bearer sk-benchmark"}
        body = {"model": MODEL, "prompt": f"image {number}", "size": "1:1", "n": 1}
        task = session().post(f"{base}/v1/images/generations", json=body, headers=headers).json()
        while task["status"] not in {"completed", "failed"}:
            time.sleep(interval)
            task = session().get(f"{base}/v1/images/generations/{task['id']}", headers=headers).json()
        (out / f"{number}.png").write_bytes(session().get(task["result"]["data"][0]["url"]).content)

    with ThreadPoolExecutor(in_flight) as pool:
        list(pool.map(one, range(images)))


async def ours(base: str, out: Path, images: int, in_flight: int, interval: float, *, safe: bool = True) -> None:
    from toapis_async import AsyncToAPIs, FixedPolling, ImageRequest

    async with (
        AsyncToAPIs(api_key="sk-benchmark", base_url=base, rate_limits=None, polling=FixedPolling(interval)) as client,
        client.session(out, max_concurrency=in_flight, journal=safe, durable=safe) as session,
    ):
        report = await session.run(ImageRequest(f"image {number}", size="1:1") for number in range(images))
    if report.saved != images:
        raise SystemExit(f"only {report.saved} of {images} were saved: {report}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("client", choices=["by_hand", "httpx", "requests", "ours", "ours_bare"])
    parser.add_argument("base")
    parser.add_argument("out", type=Path)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--in-flight", type=int, default=200)
    parser.add_argument("--interval", type=float, default=0.4)
    parser.add_argument("--uvloop", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    work = (options.base, options.out, options.images, options.in_flight, options.interval)
    run = asyncio.run
    if options.uvloop:
        import uvloop

        run = uvloop.run
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    match options.client:
        case "by_hand":
            run(by_hand(*work))
        case "httpx":
            run(over_httpx(*work))
        case "requests":
            threads_and_requests(*work)
        case "ours":
            run(ours(*work))
        case "ours_bare":
            run(ours(*work, safe=False))
    after = resource.getrusage(resource.RUSAGE_SELF)
    json.dump(
        {
            "wall_seconds": time.monotonic() - start,
            "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            "user_seconds": after.ru_utime - before.ru_utime,
            "peak_mib": after.ru_maxrss / 1024,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
