"""How long a number of prompts takes, and what holds it up: simulated minute by minute, from measured costs.

    python benchmarks/capacity.py                                   # the tables of docs/capacity.md
    python benchmarks/capacity.py --prompts 100000000 --tier svip --accounts 8 --processes 8 --machines 2

It is a flow, and no queue of single items: every step each of the bounds (rate limits, tasks in flight, processor,
bandwidth) lets so much through, and the least of them is what held it up. Tasks come back after the model's time,
spread like real ones (lognormal). At these numbers the spread of single items does not matter.
"""

import argparse
import math
from collections import Counter, deque
from dataclasses import dataclass

# Submissions per second and burst, as documented for one account.
TIERS = {"default": (5.0, 50.0), "vip": (16.7, 167.0), "svip": (33.3, 334.0)}
STEP = 60.0


@dataclass(frozen=True)
class Setting:
    prompts: float = 1e6
    tier: str = "default"
    accounts: int = 1
    processes: int = 1  # in all
    cores: int = 2  # of a machine
    machines: int = 1
    latency: float = 30.0  # median seconds of a task
    spread: float = 0.4  # sigma of its logarithm
    in_flight: int = 10_000  # per process: --max-concurrency, which is 200 unless it is given
    image_bytes: float = 1.5e6
    bandwidth: float = 125e6  # bytes per second of a machine
    images_per_core: float = 700.0  # measured: benchmarks/ceiling.py


@dataclass(frozen=True)
class Result:
    seconds: float
    most_in_flight: float
    bounds: Counter[str]

    @property
    def bottleneck(self) -> str:
        return self.bounds.most_common(1)[0][0]


def finishing(setting: Setting) -> list[float]:
    """Return which share of the tasks of a step finishes in that step, in the next one, and so on."""
    middle = math.log(setting.latency)

    def done_by(seconds: float) -> float:
        return (
            0.0
            if seconds <= 0
            else 0.5 * (1 + math.erf((math.log(seconds) - middle) / (setting.spread * math.sqrt(2))))
        )

    shares, number = [], 0
    while sum(shares) < 0.999999 and number < 10_000:
        # Tasks are accepted all through the step, so the mean of ten moments in it.
        shares.append(
            sum(done_by((number + 1 - k / 10) * STEP) - done_by((number - k / 10) * STEP) for k in range(10)) / 10
        )
        number += 1
    return [share / sum(shares) for share in shares]


def simulate(setting: Setting) -> Result:
    rate, burst = (value * setting.accounts for value in TIERS[setting.tier])
    working = min(setting.processes, setting.cores * setting.machines)
    shares, waiting = finishing(setting), deque([0.0])
    mean = setting.latency * math.exp(setting.spread**2 / 2)
    # Within a step tasks come back and free their places, so Little's law bounds the flow and not the stock.
    caps = {
        "in flight": setting.in_flight * setting.processes / mean * STEP,
        "processor": setting.images_per_core * working * STEP,
        "bandwidth": setting.bandwidth * setting.machines / setting.image_bytes * STEP,
    }
    tokens, left, unsaved, now, most = burst, setting.prompts, 0.0, 0.0, 0.0
    bounds: Counter[str] = Counter()
    while left > 1e-6 or unsaved > 0.5 or sum(waiting) > 0.5:
        room = {"rate limit": tokens + rate * STEP, **caps}
        bound = min(room, key=lambda name: room[name])
        sent = min(left, room[bound])
        if left > 0:
            bounds["rate limit" if sent < room[bound] else bound] += 1
        left -= sent
        tokens = min(burst, room["rate limit"] - sent)
        for number, share in enumerate(shares):
            if number >= len(waiting):
                waiting.append(0.0)
            waiting[number] += sent * share
        unsaved += waiting.popleft()
        unsaved -= min(unsaved, caps["bandwidth"], caps["processor"])
        most = max(most, sent / STEP * mean)
        now += STEP
    return Result(now, most, bounds)


def duration(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:.0f} s"


def tables() -> None:
    print("One process, one account, 1.5 MB an image, as many in flight as it takes\n")
    print("| tier | median of a task | 10,000 | 1,000,000 | 100,000,000 | in flight | with 200 in flight |")
    print("|---|---|---|---|---|---|---|")
    for tier in TIERS:
        for latency in (15.0, 60.0, 180.0):
            runs = [simulate(Setting(prompts=n, tier=tier, latency=latency)) for n in (1e4, 1e6, 1e8)]
            few = simulate(Setting(prompts=1e6, tier=tier, latency=latency, in_flight=200))
            times = " | ".join(duration(run.seconds) for run in runs)
            slower = f"{few.seconds / runs[1].seconds:.1f} times as long"
            print(f"| {tier} | {latency:.0f} s | {times} | {runs[-1].most_in_flight:,.0f} | {slower} |")
    print("\nA hundred million prompts, svip, a median of 60 s, 1.5 MB an image, 1 Gbit/s a machine\n")
    print("| accounts | processes | machines | time | images/s | held up by |")
    print("|---|---|---|---|---|---|")
    for accounts, processes, machines in ((1, 1, 1), (2, 1, 1), (4, 1, 1), (4, 1, 2), (16, 4, 8), (64, 16, 32)):
        setting = Setting(1e8, "svip", accounts, processes, machines=machines, latency=60.0)
        run = simulate(setting)
        row = f"{accounts} | {processes} | {machines} | {duration(run.seconds)} | {1e8 / run.seconds:,.0f}"
        print(f"| {row} | {run.bottleneck} |")
    print("\nThe same with 20 kB an image: thumbnails, or a file host next door\n")
    print("| accounts | processes | machines | time | images/s | held up by |")
    print("|---|---|---|---|---|---|")
    for accounts, processes, machines in ((4, 1, 1), (20, 1, 1), (30, 1, 1), (30, 2, 1), (60, 2, 1), (60, 4, 2)):
        setting = Setting(
            1e8, "svip", accounts, processes, machines=machines, latency=60.0, image_bytes=2e4, in_flight=100_000
        )
        run = simulate(setting)
        row = f"{accounts} | {processes} | {machines} | {duration(run.seconds)} | {1e8 / run.seconds:,.0f}"
        print(f"| {row} | {run.bottleneck} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, field in Setting.__dataclass_fields__.items():
        kind = type(field.default)
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=None, help=f"[{field.default}]")
    given = {name: value for name, value in vars(parser.parse_args()).items() if value is not None}
    if not given:
        tables()
        return
    run = simulate(Setting(**given))
    print(f"{duration(run.seconds)}, at most {run.most_in_flight:,.0f} in flight, held up by: {dict(run.bounds)}")


if __name__ == "__main__":
    main()
