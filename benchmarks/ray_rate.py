"""Two actors of Ray Data on one account against one ``toapis batch``: speed, refusals, and how evenly they share.

    python benchmarks/ray_rate.py [--rows 5000] [--rate 100] [--late 10] [--through ray|none] [--auto]

Both run against a simulator in this process whose gateway has that limit. They are told it, or have to find it in the
headers (--auto). In a third run the second actor joins *late* seconds after the first. Speeds count from the first POST
to the last one, the actors' parts from 5 s after the second one's first POST until one has nothing left. Four minutes.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import attrs

from toapis_async.testing import Constant, Scenario, Simulator
from toapis_async.values.limits import RateLimits

DRIVER = """
import json, logging, os, sys, time
import ray
import toapis_async.integrations.ray as processors
from toapis_async import RateLimits
from toapis_async.limits import SharedRateLimits
told = json.loads(sys.argv[1])
ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
ray.data.DataContext.get_current().enable_progress_bars = False

class Named(processors.ToAPIsBatches):
    def __init__(self, config):
        try:
            os.close(os.open(told["first"], os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            time.sleep(told["late"])
        super().__init__(config)

    async def __call__(self, table):
        async for made in super().__call__(table):
            yield made.append_column("actor", [[os.getpid()] * len(made)])

processors.ToAPIsBatches = Named
rows = [{"prompt": f"fox {number}", "key": f"row-{number}"} for number in range(told["rows"])]
client = {"api_key": told["key"], "base_url": told["base_url"]}
limits = RateLimits(**told["tier"]) if told["tier"] else "auto"
client["rate_limits"] = SharedRateLimits.ray("toapis", rate_limits=limits) if told["through"] == "ray" else limits
config = processors.ToAPIsProcessorConfig(run_id="july", id_column="key", client=client, actors=2, **told["config"])
process = processors.build_toapis_processor(config)
made = process(ray.data.from_items(rows, override_num_blocks=told["rows"] // 100)).take_all()
Path = __import__("pathlib").Path
Path(told["made"]).write_text(json.dumps({row["prompt"]: [row["ok"], row["actor"]] for row in made}))
"""


async def watched(sim, words, environment):
    """Run a program; returns when each prompt was first sent, and the books at its end."""
    sent = {}
    program = await asyncio.create_subprocess_exec(*words, env=environment, stdout=subprocess.DEVNULL)
    ended = asyncio.ensure_future(program.wait())
    while not ended.done():
        await asyncio.wait([ended], timeout=0.1)
        now = time.perf_counter()
        for prompt in list(sim.books.by_prompt)[len(sent) :]:
            sent[prompt] = now
    if program.returncode:
        raise SystemExit(f"{words[:3]} ended with {program.returncode}")
    return sent, sim.books


def figures(sent, books):
    """Return submissions per second and the part that was refused."""
    times = sorted(sent.values())
    return {
        "per second": round(len(times) / (times[-1] - times[0]), 2),
        "429 %": round(100 * (books.posts - books.accepted) / books.posts, 3),
        "paid twice": sum(entry.accepted > 1 for entry in books.by_prompt.values()),
        "saved": books.downloads,
        "in each five seconds": list(Counter(int((at - times[0]) / 5.0) for at in times).values()),
    }


def parts(sent, made):
    """Return each actor's share from 5 s after the second one's first POST to 2 s before one has nothing left."""
    first, last = {}, {}
    for prompt, at in sent.items():
        first.setdefault(made[prompt][1], at)
        last[made[prompt][1]] = at
    begin, end = max(first.values()) + 5.0, min(last.values()) - 2.0
    counts = dict.fromkeys(first, 0)
    for prompt, at in sent.items():
        counts[made[prompt][1]] += begin <= at < end
    few, many = min(counts.values()), max(counts.values())
    return {
        "joined after": round(max(first.values()) - min(first.values()), 1),
        "counts": list(counts.values()),
        "fairness": round(few / many, 3) if many else None,
    }


async def main():
    """Run both, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--late", type=float, default=10.0)
    parser.add_argument("--through", choices=("ray", "none"), default="ray")
    parser.add_argument("--auto", action="store_true")
    given = parser.parse_args()
    tier = RateLimits(
        submit_per_second=given.rate, submit_burst=int(given.rate), query_per_second=1000, query_burst=1000
    )
    scenario = Scenario(latency=Constant(1.0), files="small", small_bytes=4096, tier=tier)
    print(f"load of this machine: {', '.join(f'{load:.1f}' for load in os.getloadavg())}; {os.cpu_count()} cores")
    speeds = []
    for name, late in (("toapis batch", 0.0), ("two actors", 0.0), ("two actors, one late", given.late)):
        with tempfile.TemporaryDirectory() as place:
            async with Simulator(scenario) as sim:
                environment = {**os.environ, "TOAPIS_API_KEY": sim.api_key}
                told = {"base_url": sim.base_url, "key": sim.api_key, "through": given.through, "rows": given.rows}
                told["tier"] = None if given.auto else attrs.asdict(tier)
                told |= {"late": late, "first": f"{place}/first", "made": f"{place}/made"}
                told["config"] = {"state": f"{place}/state", "output": f"{place}/out"}
                prompts = Path(place, "prompts.txt")
                prompts.write_text("".join(f"fox {number}\n" for number in range(given.rows)))
                batch = [str(Path(sys.executable).with_name("toapis")), "batch", str(prompts), "-o", f"{place}/out"]
                batch += ["--base-url", sim.base_url, "--max-concurrency", "1200", "--quiet"]
                batch += [] if given.auto else ["--rate-limit", f"{given.rate:g}/s"]
                words = batch if name == "toapis batch" else [sys.executable, "-c", DRIVER, json.dumps(told)]
                sent, books = await watched(sim, words, environment)
                row = figures(sent, books)
            speeds.append(row["per second"])
            if name != "toapis batch":
                row |= parts(sent, json.loads(Path(place, "made").read_text()))
        print(name, json.dumps(row), flush=True)
    print(f"two actors do {speeds[1] / speeds[0]:.3f} of toapis batch")


if __name__ == "__main__":
    asyncio.run(main())
