"""Throughput and share of 429 against a gateway that limits, with and without headers.

    python benchmarks/flow.py                 # all four, about five minutes
    python benchmarks/flow.py --only headers  # one of: headers, silent, concurrency, outage

The simulator runs in a process of its own; the ideal makespan follows from its limits alone: the bucket's burst at
once, the rest at its rate, and the last task's latency; or, for a bound on unfinished tasks, rounds of latency. In the
outage every submission of the first minute is answered 429, without headers; the ideal is that minute and the rest.
"""

import argparse
import asyncio
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

RATE, BURST, LATENCY, OUTAGE = 50, 50, 1.0, 60.0

LIMITED = f"""
files = "small"
small_bytes = 4096
latency = {LATENCY}
[tier]
submit_per_second = {RATE}
submit_burst = {BURST}
query_per_second = 500
query_burst = 500
"""

CASES = {
    "headers": (LIMITED, 3000, 500),
    "silent": ("rate_headers = false\nretry_after = false\n" + LIMITED, 3000, 500),
    "concurrency": (
        f'files = "small"\nsmall_bytes = 4096\nmax_unfinished = 40\nretry_after = false\nlatency = {LATENCY}\n',
        1200,
        300,
    ),
    "outage": ("rate_headers = false\nretry_after = false\n" + LIMITED, 2000, 500),
}


def ideal_seconds(case: str, images: int) -> float:
    """Give the makespan of somebody who knows every limit."""
    if case == "concurrency":
        return images / 40 * LATENCY
    return (images - BURST) / RATE + LATENCY + (OUTAGE if case == "outage" else 0.0)


@asynccontextmanager
async def broken_at_first(base_url: str):
    """Stand before the gateway and refuse every submission until the outage is over."""
    from aiohttp import ClientSession, web

    over = time.monotonic() + OUTAGE

    async def forward(request):
        if request.method == "POST" and time.monotonic() < over:
            return web.json_response({"error": {"code": "rate_limit_exceeded", "message": "no"}}, status=429)
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        async with session.request(
            request.method, base_url + request.path_qs, data=await request.read(), headers=headers
        ) as reply:
            return web.Response(status=reply.status, body=await reply.read(), content_type=reply.content_type)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", forward)
    runner = web.AppRunner(app)
    async with ClientSession() as session:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


async def run(case: str, base_url: str, key: str, images: int, in_flight: int) -> dict[str, float]:
    from toapis_async import AsyncToAPIs, ImageRequest, LearnedPolling

    out = Path(tempfile.mkdtemp(prefix="toapis-flow-"))
    limits = None if case == "concurrency" else "auto"
    start = time.monotonic()
    try:
        async with (
            broken_at_first(base_url) if case == "outage" else nullcontext(base_url) as door,
            AsyncToAPIs(
                api_key=key, base_url=door, rate_limits=limits, polling=LearnedPolling(min_interval=0.2)
            ) as client,
            client.session(out, max_concurrency=in_flight) as session,
        ):
            report = await session.run(ImageRequest(f"image {number}") for number in range(images))
        seconds = time.monotonic() - start
    finally:
        shutil.rmtree(out)
    books = json.loads(urllib.request.urlopen(f"{base_url}/__admin/books").read())
    return {"seconds": seconds, "saved": report.saved, "books": books}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=CASES)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    table = {}
    print("case          images   ideal s    ours s   of ideal   POSTs   429 %")
    for case, (scenario, images, in_flight) in CASES.items():
        if options.only not in {None, case}:
            continue
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(scenario)
            file.flush()
            server = subprocess.Popen(
                [sys.executable, "-m", "toapis_async.testing", "--scenario", file.name],
                stdout=subprocess.PIPE,
                text=True,
            )
            try:
                where = json.loads(server.stdout.readline())
                figures = asyncio.run(run(case, where["base_url"], where["api_key"], images, in_flight))
            finally:
                server.send_signal(signal.SIGTERM)
                server.wait()
        books = figures.pop("books")
        posts, refused = books["posts"], books["posts"] - books["accepted"]
        ideal = ideal_seconds(case, images)
        row = figures | {"ideal": ideal, "share": ideal / figures["seconds"], "refused": refused / posts}
        table[case] = row | {"posts": posts, "duplicates": books.get("duplicates")}
        print(
            f"{case:<12} {images:>7} {ideal:>9.1f} {row['seconds']:>9.1f} {row['share']:>10.3f} {posts:>7} "
            f"{row['refused'] * 100:>7.2f}"
        )
    if options.json:
        options.json.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
