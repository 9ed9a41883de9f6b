"""Rows through Ray Data with an actor killed on the way, or the whole job killed and run again; paid once each?

python benchmarks/ray_run.py [--rows 2000] [--actors 2] [--kill actor|driver|both|nobody] [--at 16] [--claims]
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from s3_server import S3Server  # the tests' own

from toapis_async.testing import Constant, Scenario, Simulator

DRIVER = """
import json, logging, sys
import ray
from toapis_async.integrations.ray import ToAPIsProcessorConfig, build_toapis_processor
from toapis_async import FixedPolling, RateLimits
told = json.loads(sys.argv[1])
ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
ray.data.DataContext.get_current().enable_progress_bars = False
rows = [{"caption": f"fox {number}", "key": f"row-{number}"} for number in range(told["rows"])]
client = {"api_key": told["key"], "base_url": told["base_url"], "polling": FixedPolling(2.0),
          "rate_limits": RateLimits(submit_per_second=told["rate"], submit_burst=5,
                                    query_per_second=500, query_burst=500)}
config = ToAPIsProcessorConfig(run_id="july", prompt_column="caption", id_column="key", client=client,
                               **told["config"])
dataset = build_toapis_processor(config)(ray.data.from_items(rows, override_num_blocks=max(1, told["rows"] // 100)))
made = dataset.take_all()
print(json.dumps({"rows": len(made), "keys": len({row["key"] for row in made}), "ok": sum(row["ok"] for row in made),
                  "resumed": sum(row["resumed"] for row in made),
                  "errors": sorted({str(row["error"])[:200] for row in made if not row["ok"]})[:3]}))
"""


def actor_process(session):
    """Find a process of an actor of ours, below the driver's Ray."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                title = (entry / "cmdline").read_bytes()
                parents = os.getsid(int(entry.name)) == session or _is_below(int(entry.name), session)
            except OSError:
                continue
            if b"ray::" in title and b"ToAPIsBatches" in title and parents:
                return int(entry.name)
    return None


def _is_below(pid, ancestor):
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        if pid == ancestor:
            return True
    return False


async def drive(told, base_url, key, kill, at, sim):
    """Run the driver, killing what is to be killed; returns what it printed at its end."""
    while True:
        words = json.dumps({**told, "base_url": base_url, "key": key})
        driver = await asyncio.create_subprocess_exec(
            sys.executable, "-c", DRIVER, words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        ended = asyncio.ensure_future(driver.communicate())
        if kill != "nobody":
            while not sim.books.posts and not ended.done():
                await asyncio.sleep(0.05)
            await asyncio.wait([ended], timeout=at)
            if kill in {"actor", "both"} and (pid := actor_process(driver.pid)) is not None:
                os.kill(pid, signal.SIGKILL)
            if kill == "both":
                await asyncio.wait([ended], timeout=at)
            if kill in {"driver", "both"} and not ended.done():
                os.killpg(driver.pid, signal.SIGKILL)
                await ended
                kill = "nobody"
                continue
        out, complaints = await ended
        return (
            json.loads(out[out.index(b'{"rows') :].splitlines()[0])
            if driver.returncode == 0
            else complaints.decode()[-3000:]
        )


async def main():
    """Run, and judge by the gateway's books."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--actors", type=int, default=2)
    parser.add_argument("--kill", choices=("actor", "driver", "both", "nobody"), default="actor")
    parser.add_argument("--at", type=float, default=16.0)
    parser.add_argument("--rate", type=float, default=25.0, help="submissions per second of an actor")
    parser.add_argument("--latency", type=float, default=5.0, help="seconds that a task takes")
    parser.add_argument("--claims", action="store_true", help="in a bucket, without a shared directory")
    given = parser.parse_args()
    scenario = Scenario(latency=Constant(given.latency), files="small", lookup_lag=4.0, tier=None)
    server = S3Server()
    with tempfile.TemporaryDirectory() as place:
        config = {"state": f"{place}/state", "output": f"{place}/out"}
        if given.claims:
            server.start()
            address, options = server.new_bucket()
            config = {"state": f"{address}/state", "output": f"{address}/out", "store_options": options}
        told = {"rows": given.rows, "rate": given.rate, "config": {**config, "actors": given.actors}}
        async with Simulator(scenario) as sim:
            begun = time.perf_counter()
            found = await drive(told, sim.base_url, sim.api_key, given.kill, given.at, sim)
            entries = sim.books.by_prompt.values()
            print(
                json.dumps(
                    {
                        "killed": given.kill,
                        "claims": given.claims,
                        "found": found,
                        "paid twice": sum(entry.accepted > 1 for entry in entries),
                        "prompts": len(entries),
                        "posts": sim.books.posts,
                        "seconds": round(time.perf_counter() - begun, 1),
                    }
                ),
                flush=True,
            )
    if given.claims:
        server.stop()


if __name__ == "__main__":
    asyncio.run(main())
