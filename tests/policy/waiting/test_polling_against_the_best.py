"""Learned polling against the best schedule of all, in virtual time, with fixed seeds."""

import sys
from collections.abc import Callable
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

from toapis_async.policy.waiting.latency import LatencyBook
from toapis_async.policy.waiting.polling import LearnedPolling

SEEDS = (11, 12, 13)
MORE_SEEDS = range(20, 28)
SAMPLE = 1000  # latencies, one from each equally likely stratum
NAMES = ("20 s, sigma 0.25", "20 s, sigma 0.35", "20 s, sigma 0.8", "12 s or 45 s")


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """The benchmark's own simulation and dynamic programme."""
    path = Path(__file__).parents[3] / "benchmarks" / "polling.py"
    spec = spec_from_file_location("benchmark_of_polling", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def best(bench: ModuleType) -> Callable[[str, float], Any]:
    """The best schedules for a law and a floor, computed once."""

    @cache
    def best_of(name: str, floor: float) -> Any:
        law = next(law for law in bench.LAWS if law.name == name)
        return bench.Best(law, floor=floor, points=450)

    return best_of


@pytest.mark.parametrize("floor", [5.0, 0.2])
@pytest.mark.parametrize("name", NAMES)
def test_learned_polling_is_near_the_best_schedule(
    bench: ModuleType, best: Callable[[str, float], Any], name: str, floor: float
) -> None:
    """After 200 completions the mean delay is within 1.10 of the best with as many looks and the same floor."""
    law = next(law for law in bench.LAWS if law.name == name)
    runs = bench.learned(
        law, LearnedPolling(min_interval=floor), law.stratified(SAMPLE), completions=200, seeds=MORE_SEEDS
    )
    looks, delay = bench.mean(runs)

    assert delay <= 1.10 * best(name, floor).delay(looks)


@pytest.mark.parametrize("name", NAMES)
def test_before_that_it_is_not_worse_than_the_documented_cadence(bench: ModuleType, name: str) -> None:
    """With nothing known the mean delay is below that of 5 s, then 5 to 10 s."""
    law = next(law for law in bench.LAWS if law.name == name)
    latencies = law.stratified(SAMPLE)
    plan = LearnedPolling().plan(None, looks=10.0)

    _, documented = bench.judge_rule(bench.RULES[0], latencies, Random(5))
    _, cold = bench.judge_plan(plan, latencies, Random(5))

    assert cold <= documented


@pytest.mark.parametrize("completions", [20, 35, 60])
@pytest.mark.parametrize("name", NAMES)
def test_while_it_learns_it_is_not_worse_either(bench: ModuleType, name: str, completions: int) -> None:
    """The first laws rest on few completions, and are still no worse than the documented cadence."""
    law = next(law for law in bench.LAWS if law.name == name)
    latencies = law.stratified(SAMPLE)

    _, documented = bench.judge_rule(bench.RULES[0], latencies, Random(5))
    _, learning = bench.mean(bench.learned(law, LearnedPolling(), latencies, completions=completions, seeds=SEEDS))

    assert learning <= documented


@pytest.mark.parametrize("factor", [0.5, 2.0])
@pytest.mark.parametrize(
    ("name", "floor"),
    [("20 s, sigma 0.25", 5.0), ("20 s, sigma 0.25", 0.2), ("60 s, sigma 0.35", 5.0), ("12 s or 45 s", 0.2)],
)
def test_a_shift_by_two_is_overcome_within_200_completions(
    bench: ModuleType, best: Callable[[str, float], Any], name: str, factor: float, floor: float
) -> None:
    """The law becomes twice as fast or as slow: 200 completions later the plan is near the best again.

    At five submissions per second up to 600 tasks of the old law are still under way when it changes.
    """
    law = next(law for law in bench.LAWS if law.name == name)
    runs = bench.learned(
        law,
        LearnedPolling(min_interval=floor),
        law.stratified(SAMPLE),
        completions=200,
        seeds=MORE_SEEDS,
        before=(law.slower(1 / factor), 400),
    )
    looks, delay = bench.mean(runs)

    assert delay <= 1.10 * best(name, floor).delay(looks)


def test_the_query_budget_is_kept(bench: ModuleType) -> None:
    """Fewer looks allowed are fewer looks taken, whatever the setting aims at."""
    law = bench.LAWS[2]
    polling = LearnedPolling(min_interval=0.2)
    plan = bench.learn(LatencyBook(), [(law, 300)], polling, Random(1), looks=3.0)

    looks, _ = bench.judge_plan(plan, law.stratified(SAMPLE), Random(1))

    assert looks <= 3.0 * 1.15
