"""Settings and plans of polling."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.errors import ConfigurationError
from toapis_async.policy.waiting.latency_distribution import LatencyDistribution
from toapis_async.policy.waiting.polling import FixedPolling, LearnedPolling, TimedPlan, failed_look_delay


def walk(plan: object, until: float, random: Random) -> list[float]:
    """The times of the looks of a task that finishes at *until*."""
    times, t = [], 0.0
    while t < until:
        t += plan.next_delay(t, random)  # type: ignore[attr-defined]
        times.append(t)
    return times


def test_fixed_polling_is_fixed() -> None:
    """Every interval, from the first on."""
    assert walk(FixedPolling(8.0).plan(None, looks=3.0), 30.0, Random(1)) == [8.0, 16.0, 24.0, 32.0]


def test_fixed_polling_may_jitter_upwards_only() -> None:
    """No wait is shorter than the interval."""
    times = walk(FixedPolling(1.0, jitter=0.5).plan(None, looks=None), 50.0, Random(1))

    gaps = [b - a for a, b in zip((0.0, *times), times, strict=False)]
    assert min(gaps) >= 1.0
    assert 1.4 < max(gaps) <= 1.5


@pytest.mark.parametrize("floor", [5.0, 0.2])
def test_with_nothing_known_looks_are_evenly_spaced(floor: float) -> None:
    """The first after the floor, the others from once to 1.2 times it."""
    plan = LearnedPolling(min_interval=floor).plan(None, looks=None)
    times = walk(plan, 9 * floor, Random(1))

    gaps = [b - a for a, b in pairwise(times)]
    assert times[0] == floor
    assert all(floor <= gap <= 1.2 * floor for gap in gaps)


def test_with_nothing_known_a_long_task_gets_the_documented_spread() -> None:
    """When a task has had the looks that the budget allows, the gaps go from once to twice the floor."""
    plan = LearnedPolling().plan(None, looks=4.0)
    random = Random(1)
    late = [plan.next_delay(100.0, random) for _ in range(200)]

    assert min(late) >= 5.0
    assert 9.0 < max(late) <= 10.0


def test_with_nothing_known_a_low_floor_is_not_kept_for_ever() -> None:
    """At a floor of 0.2 s a task of a minute costs some 40 looks, not 300, and ends in the documented cadence."""
    plan = LearnedPolling(min_interval=0.2).plan(None, looks=10.0)
    random = Random(1)
    late = [plan.next_delay(600.0, random) for _ in range(200)]

    assert len(walk(plan, 60.0, random)) <= 40
    assert min(late) >= 5.0
    assert max(late) <= 10.0


def test_a_law_of_few_is_not_followed() -> None:
    """29 completions are not 30."""
    law = LatencyDistribution()
    for _ in range(29):
        law.observe(19.0, 21.0)
    polling = LearnedPolling()
    before = polling.plan(law, looks=None)
    law.observe(19.0, 21.0)
    law.observe(19.0, 21.0)

    assert not isinstance(before, TimedPlan)
    assert isinstance(polling.plan(law, looks=None), TimedPlan)


@given(
    st.lists(st.floats(min_value=1.0, max_value=30.0), min_size=1, max_size=12),
    st.floats(min_value=0.0, max_value=5000.0),
    st.integers(),
)
def test_no_wait_is_under_the_floor_or_beyond_reason(gaps: list[float], elapsed: float, seed: int) -> None:
    """From wherever a task is asked, the next look is at least the floor away, and not past the plan's next time."""
    times, t = [], 0.0
    for gap in gaps:
        t += gap
        times.append(t)
    plan = TimedPlan.of(tuple(times), min_interval=1.0, max_interval=60.0, jitter=0.05)
    delay = plan.next_delay(elapsed, Random(seed))

    assert delay >= 1.0
    assert delay <= max(60.0, 31.5 * 2)


def test_looks_follow_the_plan_without_drifting() -> None:
    """Each look lands within the jitter of its planned time, however late the reply to the one before."""
    times = (10.0, 15.0, 22.0, 30.0, 45.0)
    plan = TimedPlan.of(times, min_interval=1.0, max_interval=60.0, jitter=0.05)
    random = Random(3)
    t = 0.0
    for planned in times:
        t += plan.next_delay(t, random)
        assert t == pytest.approx(planned, abs=0.8)
        t += 0.3


def test_a_narrow_law_is_not_looked_at_before_its_time() -> None:
    """The jitter is bounded by the sway: five per cent of the wait would be half a second."""
    plan = TimedPlan.of((10.0,), min_interval=1.0, max_interval=60.0, jitter=0.05, sway=0.02)
    random = Random(1)
    delays = [plan.next_delay(0.0, random) for _ in range(200)]

    assert min(delays) >= 9.98
    assert max(delays) <= 10.02


def test_beyond_the_plan_looks_become_rarer_up_to_a_limit() -> None:
    """A thirty-second of the elapsed time, from the floor to the widest."""
    plan = TimedPlan.of((10.0,), min_interval=5.0, max_interval=60.0, jitter=0.0)

    assert [plan.next_delay(t, Random(1)) for t in (20.0, 320.0, 5000.0)] == [5.0, 10.0, 60.0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: FixedPolling(0.0),
        lambda: FixedPolling(float("nan")),
        lambda: FixedPolling(1.0, jitter=2.0),
        lambda: LearnedPolling(min_interval=-1.0),
        lambda: LearnedPolling(max_interval=float("inf")),
        lambda: LearnedPolling(jitter=-0.1),
        lambda: LearnedPolling(looks=0.5),
    ],
)
def test_senseless_settings_are_refused(make: object) -> None:
    """With a hint, before anything is sent."""
    with pytest.raises(ConfigurationError, match=r"must be|at least") as caught:
        make()  # type: ignore[operator]

    assert caught.value.hint


@given(st.integers(min_value=1, max_value=10_000), st.integers())
def test_failed_looks_back_off_and_stay_bounded(failures: int, seed: int) -> None:
    """From about a second to about a minute."""
    delay = failed_look_delay(failures, Random(seed))

    assert 0.75 <= delay <= 75.0


def test_failed_looks_wait_as_asked() -> None:
    """Retry-After is kept, and jitter only lengthens it."""
    delays = [failed_look_delay(1, Random(seed), retry_after_seconds=7.0) for seed in range(50)]

    assert min(delays) >= 7.0
    assert max(delays) <= 7.25
