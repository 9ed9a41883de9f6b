"""Polling in virtual time: looks per task and mean delay from completion to detection.

    python benchmarks/polling.py [--quick] [--json FILE]

Each law is learned online: tasks are accepted at the default tier's 5 per second, each is looked at by the policy under
test, and a completion is known only by the two looks around it. After the given number of completions the plan is
frozen and judged on a large sample. The reference is the best schedule of all with the same mean number of looks and
the same floor, found by dynamic programming on the true law.
"""

import argparse
import heapq
import json
import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from statistics import NormalDist

import attrs

from toapis_async.policy.waiting.latency import LatencyBook, Watch
from toapis_async.policy.waiting.polling import FixedPolling, LearnedPolling, LookPlan, Polling

PER_SECOND = 5.0  # submissions, the default tier
NORMAL = NormalDist()


@attrs.frozen
class Law:
    """A mixture of log-normal latencies: (share, median in seconds, sigma)."""

    name: str
    parts: tuple[tuple[float, float, float], ...]

    def sample(self, random: Random) -> float:
        mark = random.random()
        part = self.parts[-1]
        for part in self.parts:
            mark -= part[0]
            if mark <= 0:
                break
        _, median, sigma = part
        return median * math.exp(sigma * random.gauss(0.0, 1.0))

    def cdf(self, t: float) -> float:
        if t <= 0:
            return 0.0
        return sum(share * NORMAL.cdf(math.log(t / median) / sigma) for share, median, sigma in self.parts)

    def quantile(self, share: float) -> float:
        low, high = 1e-3, 1e6
        for _ in range(60):
            middle = math.sqrt(low * high)
            low, high = (middle, high) if self.cdf(middle) < share else (low, middle)
        return low

    def slower(self, factor: float) -> "Law":
        """The same law with all its times multiplied."""
        parts = tuple((share, median * factor, sigma) for share, median, sigma in self.parts)
        return Law(f"{self.name}, x{factor:g}", parts)

    def stratified(self, size: int) -> list[float]:
        """One latency from the middle of each of *size* equally likely strata."""
        top = self.quantile(1 - 0.1 / size)
        steps = 4 * size
        bottom = self.quantile(0.1 / size)
        times = [bottom * (top / bottom) ** (k / steps) for k in range(steps + 1)]
        heights = [self.cdf(t) for t in times]
        out = []
        for k in range(size):
            share = (k + 0.5) / size
            i = max(1, bisect_left(heights, share))
            inside = (share - heights[i - 1]) / max(1e-15, heights[i] - heights[i - 1])
            out.append(times[i - 1] + inside * (times[i] - times[i - 1]))
        return out


LAWS = (
    Law("20 s, sigma 0.25", ((1.0, 20.0, 0.25),)),
    Law("20 s, sigma 0.35", ((1.0, 20.0, 0.35),)),
    Law("20 s, sigma 0.8", ((1.0, 20.0, 0.8),)),
    Law("60 s, sigma 0.35", ((1.0, 60.0, 0.35),)),
    Law("12 s or 45 s", ((0.6, 12.0, 0.2), (0.4, 45.0, 0.25))),
    Law("20 s, sigma 0.02", ((1.0, 20.0, 0.02),)),
    Law("20 s sharp", ((1.0, 20.0, 0.001),)),
)


@attrs.frozen
class Rule:
    """A policy of somebody else: its shortest wait, and the wait before look number *n* (from 0), in seconds."""

    name: str
    floor: float
    wait: Callable[[int, Random], float]


RULES = (
    Rule("documented: 5 s, then 5 to 10 s", 5.0, lambda n, r: 5.0 if n == 0 else r.uniform(5.0, 10.0)),
    Rule("quickstart: every 8 s", 5.0, lambda n, r: 8.0),
    Rule("comfy: 0.5 s, x1.5, to 5 s", 0.5, lambda n, r: min(5.0, 0.5 * 1.5**n)),
    Rule("google: 1 s, x1.5, to 20 s", 1.0, lambda n, r: min(20.0, 1.5**n)),
)


def judge_rule(rule: Rule, latencies: Sequence[float], random: Random) -> tuple[float, float]:
    """Give looks per task and mean delay."""
    looks, delay = 0, 0.0
    for took in latencies:
        t, n = 0.0, 0
        while t < took:
            t += rule.wait(n, random)
            n += 1
        looks, delay = looks + n, delay + t - took
    return looks / len(latencies), delay / len(latencies)


def judge_plan(plan: LookPlan, latencies: Sequence[float], random: Random) -> tuple[float, float]:
    """Give looks per task and mean delay."""
    looks, delay = 0, 0.0
    for took in latencies:
        t = 0.0
        while t < took:
            t += plan.next_delay(t, random)
            looks += 1
        delay += t - took
    return looks / len(latencies), delay / len(latencies)


def learn(
    book: LatencyBook,
    laws: Sequence[tuple[Law, int]],
    polling: Polling,
    random: Random,
    *,
    looks: float | None = None,
    per_second: float = PER_SECOND,
) -> LookPlan:
    """Run tasks in virtual time and learn from their looks; give the plan then in force.

    Args:
        book: what is learned; empty, or from earlier.
        laws: one after the other, each until so many of its own tasks were seen finished.
        polling: the policy.
        random: for latencies and jitter.
        looks: the query budget, or None.
        per_second: submissions.

    """
    events: list[tuple[float, int, float, float, Watch, float]] = []
    arrived = 0
    for law, completions in laws:
        begun, done = arrived, 0
        while done < completions:
            due = arrived / per_second
            if not events or due <= events[0][0]:
                watch = book.watch("k", polling, looks=lambda: looks)
                first = due + watch.next_delay(0.0, random)
                heapq.heappush(events, (first, arrived, due, law.sample(random), watch, 0.0))
                arrived += 1
                continue
            now, mark, accepted, took, watch, last = heapq.heappop(events)
            elapsed = now - accepted
            if elapsed >= took:
                watch.finished(last, elapsed)
                done += mark >= begun
                continue
            later = now + watch.next_delay(elapsed, random)
            heapq.heappush(events, (later, mark, accepted, took, watch, elapsed))
    return book.plan("k", polling, looks=looks)


class Best:
    """The best schedules for a law, by dynamic programming over a fine grid of look times.

    For a price per look the program minimises mean delay plus price times mean looks over all schedules that keep the
    floor; sweeping the price draws the whole frontier.
    """

    def __init__(self, law: Law, *, floor: float, points: int = 700) -> None:
        top = law.quantile(1 - 1e-4)
        self.floor = floor
        # The grid holds the floor a whole number of times, or the floor would cost more than it does.
        target = max(1e-6, (top - floor) / points)
        self.step = floor / max(1, round(floor / target)) if floor > target else target
        self.skip = max(1, math.ceil(floor / self.step - 1e-9))
        size = int(top / self.step) + 2
        self.times = [k * self.step for k in range(size)]
        self.cdf = [law.cdf(t) for t in self.times]
        self.cdf[-1] = 1.0
        self.mean = sum((1 - self.cdf[k]) * self.step for k in range(size)) - self.step * 0.5 * (1 - self.cdf[0])
        self.frontier: list[tuple[float, float]] = []

    def solve(self, price: float) -> tuple[float, float]:
        """Give mean looks and mean delay of the best schedule at this price per look."""
        times, cdf, skip = self.times, self.cdf, self.skip
        end = len(times) - 1
        cost, looks = [0.0] * (end + 1), [0.0] * (end + 1)
        upper = end
        for i in range(end - 1, -1, -1):
            low = min(end, i + skip)
            # The costs are Monge: the best next look moves back with i, so it bounds the search.
            best, arg = math.inf, low
            base = cdf[i]
            for j in range(low, max(low, upper) + 1):
                c = times[j] * (cdf[j] - base) + cost[j]
                if c < best - 1e-15:
                    best, arg = c, j
            upper = arg
            cost[i] = best + price * (1 - base)
            looks[i] = (1 - base) + looks[arg]
        return looks[0], cost[0] - price * looks[0] - self.mean

    def delay(self, looks: float) -> float:
        """Give the least mean delay with this mean number of looks (a mixture of two schedules, if need be)."""
        low, high = 1e-4, 1e4
        some, few = self.solve(low), self.solve(high)
        if looks >= some[0]:
            return min(some[1], self.floor / 2)
        for _ in range(18):
            middle = math.sqrt(low * high)
            point = self.solve(middle)
            if point[0] > looks:
                low, some = middle, point
            else:
                high, few = middle, point
            if abs(some[0] - few[0]) < 0.01 * looks:
                break
        share = (looks - few[0]) / max(1e-12, some[0] - few[0])
        return few[1] + share * (some[1] - few[1])


@attrs.frozen
class Row:
    """One line of the table: *best* is the least mean delay that any schedule has with as many looks.

    Attributes:
        ratio: of the mean over the runs.
        worst: of the worst single run.

    """

    law: str
    floor: float
    policy: str
    looks: float
    delay: float
    best: float
    ratio: float
    worst: float


def row(law: Law, name: str, runs: Sequence[tuple[float, float]], best: Best) -> Row:
    looks, delay = mean(runs)
    least = best.delay(looks)
    worst = max(run_delay / best.delay(run_looks) for run_looks, run_delay in runs)
    return Row(law.name, best.floor, name, looks, delay, least, delay / least, worst)


def mean(runs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return sum(run[0] for run in runs) / len(runs), sum(run[1] for run in runs) / len(runs)


def learned(
    law: Law,
    polling: Polling,
    latencies: Sequence[float],
    *,
    completions: int,
    seeds: Sequence[int],
    before: tuple[Law, int] | None = None,
) -> list[tuple[float, float]]:
    """Give looks and delay of what is learned, for each of some seeds; *before* is another law to learn first."""
    laws = [(law, completions)] if before is None else [before, (law, completions)]
    return [judge_plan(learn(LatencyBook(), laws, polling, Random(s)), latencies, Random(s)) for s in seeds]


def measure(law: Law, floor: float, *, size: int, completions: int, seeds: Sequence[int]) -> list[Row]:
    """Measure every policy on one law."""
    best = Best(law, floor=floor)
    latencies = law.stratified(size)
    polling = LearnedPolling(min_interval=floor)
    after, cold = f"learned from {completions}", "learned, nothing known yet"
    rows = [row(law, after, learned(law, polling, latencies, completions=completions, seeds=seeds), best)]
    for factor in (0.5, 2.0):
        runs = learned(law, polling, latencies, completions=completions, seeds=seeds, before=(law.slower(factor), 400))
        rows.append(row(law, f"{after} after a shift x{1 / factor:g}", runs, best))
    for name, plan in (
        (cold, polling.plan(None, looks=None)),
        (f"fixed: every {floor:g} s", FixedPolling(floor).plan(None, looks=None)),
    ):
        rows.append(row(law, name, [judge_plan(plan, latencies, Random(1))], best))
    return rows + ([] if floor < 5.0 else [judged(law, rule, latencies) for rule in RULES])


def judged(law: Law, rule: Rule, latencies: Sequence[float]) -> Row:
    return row(law, rule.name, [judge_rule(rule, latencies, Random(1))], Best(law, floor=rule.floor))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smaller sample and one seed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table as JSON")
    options = parser.parse_args()
    size, seeds = (1000, (1,)) if options.quick else (5000, (1, 2, 3, 4, 5))
    rows = []
    print(f"{'law':<18}{'floor s':>8}  {'policy':<36}{'looks':>7}{'delay s':>9}{'best s':>9}{'ratio':>7}{'worst':>7}")
    for floor in (5.0, 0.2):
        for law in LAWS:
            for line in measure(law, floor, size=size, completions=200, seeds=seeds):
                rows.append(line)
                print(
                    f"{line.law:<18}{line.floor:>8g}  {line.policy:<36}{line.looks:>7.2f}{line.delay:>9.2f}"
                    f"{line.best:>9.2f}{line.ratio:>7.2f}{line.worst:>7.2f}",
                    flush=True,
                )
    if options.json:
        options.json.write_text(json.dumps([attrs.asdict(line) for line in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
