"""Images per second into a bucket and into a directory, one after the other, against moto's S3 on this machine.

``python benchmarks/bucket.py [--images 800] [--rate 100] [--rounds 3]``
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from s3_server import S3Server  # the tests' own

from toapis_async import AsyncToAPIs, FixedPolling, ImageRequest, RateLimits

GATEWAY = """
import asyncio, sys
from toapis_async.testing import Constant, Scenario, Simulator
async def main():
    scenario = Scenario(latency=Constant(1.0), files="small", small_bytes=int(sys.argv[1]), tier=None)
    async with Simulator(scenario) as sim:
        print(sim.base_url, sim.api_key, flush=True)
        await asyncio.to_thread(sys.stdin.read)
asyncio.run(main())
"""


async def run(base_url, key, images, rate, where, **session):
    """Make a run and return its images per second."""
    limits = (
        None
        if rate == 0
        else RateLimits(submit_per_second=rate, submit_burst=rate, query_per_second=9e5, query_burst=9e5)
    )
    client = AsyncToAPIs(api_key=key, base_url=base_url, rate_limits=limits, polling=FixedPolling(1.0))
    requests = (ImageRequest(f"{os.getpid()} {where} {number}") for number in range(images))
    async with client, client.session(where, max_concurrency=400, **session) as running:
        begun = time.perf_counter()
        report = await running.run(requests)
        seconds = time.perf_counter() - begun
    assert report.saved == images, report
    return images / seconds


def main():
    """Compare both, in turns."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=800)
    parser.add_argument("--rate", type=float, default=0, help="submissions per second; 0 for as fast as it goes")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    server = S3Server()
    server.start()
    for size in (20_000, 200_000):
        gateway = subprocess.Popen(
            [sys.executable, "-c", GATEWAY, str(size)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        base_url, key = gateway.stdout.readline().split()
        rates = {"directory": [], "bucket": []}
        for _ in range(given.rounds):
            with tempfile.TemporaryDirectory() as place:
                rate = asyncio.run(run(base_url, key, given.images, given.rate, f"{place}/out"))
                rates["directory"].append(rate)
                address, options = server.new_bucket()
                session = {"journal": f"{place}/runs", "store_options": options}
                rates["bucket"].append(asyncio.run(run(base_url, key, given.images, given.rate, address, **session)))
        gateway.kill()
        found = {name: round(median(values), 1) for name, values in rates.items()}
        print(json.dumps({"bytes": size, **found, "ratio": round(found["bucket"] / found["directory"], 2)}), flush=True)
    server.stop()


if __name__ == "__main__":
    main()
