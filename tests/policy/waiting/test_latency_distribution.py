"""A law learned from looks."""

from math import exp
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.policy.waiting.latency_curve import LONGEST
from toapis_async.policy.waiting.latency_distribution import LatencyDistribution

times = st.floats(min_value=0.0, max_value=150_000.0)


def learned(count: int, *, median: float = 20.0, sigma: float = 0.25, seed: int = 1) -> LatencyDistribution:
    """A law of so many log-normal completions, each known to a tenth of itself."""
    law, random = LatencyDistribution(), Random(seed)
    for _ in range(count):
        took = median * exp(sigma * random.gauss(0.0, 1.0))
        law.observe(took * 0.95, took * 1.05)
    return law


def test_an_empty_law_knows_nothing() -> None:
    """Nothing observed: everything still runs, nothing is due."""
    law = LatencyDistribution()

    known = (
        law.count,
        law.curve,
        law.survival(10.0),
        law.hazard(10.0),
        law.quantile(0.5),
    )
    assert known == (0.0, None, 1.0, 0.0, 0.0)


def test_quantiles_are_found_again() -> None:
    """Median and tails of a log-normal law come out within a few per cent."""
    law = learned(600)

    assert law.quantile(0.5) == pytest.approx(20.0, rel=0.05)
    assert law.quantile(0.05) == pytest.approx(13.3, rel=0.1)
    assert law.quantile(0.95) == pytest.approx(30.2, rel=0.1)


def test_survival_and_hazard_fit_together() -> None:
    """Half of all live to see the median; the hazard is density over survival."""
    law = learned(600)
    median = law.quantile(0.5)

    assert law.survival(median) == pytest.approx(0.5, abs=0.01)
    # A log-normal's hazard at its median is sqrt(2 / pi) / (sigma * median).
    assert law.hazard(median) == pytest.approx(0.798 / (0.25 * 20.0), rel=0.2)
    assert law.hazard(2 * LONGEST) == 0.0


def test_wide_looks_do_not_become_steps() -> None:
    """Learned from looks 5 s apart only, the law is still close to the truth between them."""
    law, random = LatencyDistribution(), Random(2)
    for _ in range(500):
        took = 20.0 * exp(0.25 * random.gauss(0.0, 1.0))
        phase = random.uniform(0.0, 5.0)
        looks = int((took - phase) // 5.0)
        law.observe(max(0.0, phase + 5.0 * looks), phase + 5.0 * (looks + 1))

    assert law.quantile(0.25) == pytest.approx(16.9, rel=0.07)
    assert law.quantile(0.75) == pytest.approx(23.7, rel=0.07)


def test_running_tasks_keep_the_first_finishers_from_being_the_law() -> None:
    """Of 200 tasks started at once, the first 40 to finish are fast; the others have said so far that they are not."""
    random = Random(3)
    latencies = sorted(20.0 * exp(0.35 * random.gauss(0.0, 1.0)) for _ in range(200))
    now = latencies[40]
    naive, law = LatencyDistribution(), LatencyDistribution()
    for took in latencies:
        if took <= now:
            naive.observe(took * 0.99, took)
            known = law.unfinished(0, took * 0.99)
            law.observe(took * 0.99, took, known=known)
        else:
            law.unfinished(0, now)

    assert naive.survival(now) < 0.2
    assert law.survival(now) == pytest.approx(0.8, abs=0.1)


def test_a_shift_is_noticed_and_the_old_law_is_dropped() -> None:
    """Twice as slow: 100 completions later the median is the new one."""
    law = learned(500)
    assert law.curve is not None
    random = Random(4)
    for _ in range(100):
        assert law.curve is not None
        took = 40.0 * exp(0.25 * random.gauss(0.0, 1.0))
        law.observe(took * 0.95, took * 1.05)

    assert law.quantile(0.5) == pytest.approx(40.0, rel=0.1)


def test_the_version_moves_seldom() -> None:
    """Plans are made anew at 30 completions and then at fewer and fewer occasions."""
    law = learned(29)
    before = law.version
    random = Random(5)
    for _ in range(3000):
        law.observe(18.0 + random.random(), 20.0 + random.random())

    assert before == 0
    assert law.version < 40


def test_memory_is_bounded() -> None:
    """However many completions, the count settles and the text stays short."""
    law = learned(6000)

    assert law.count < 801
    assert len(law.to_text()) < 3000


@pytest.mark.parametrize(
    ("after", "by"), [(5.0, 4.0), (-1.0, 4.0), (0.0, 0.0), (0.0, 1e9), (float("nan"), 4.0), (1.0, float("nan"))]
)
def test_nonsense_is_no_observation(after: float, by: float) -> None:
    """Finished before it was seen running, before it began, or after four days: not learned."""
    law = LatencyDistribution()
    law.observe(after, by)

    assert law.count == 0.0


@given(st.lists(st.tuples(times, times).map(sorted), min_size=1, max_size=40))
def test_masses_are_a_law(intervals: list[list[float]]) -> None:
    """Whatever is observed, the masses are not negative and add up to one."""
    law = LatencyDistribution()
    for after, by in intervals:
        law.observe(after, by, known=law.unfinished(0, after))

    if law.curve is not None:
        assert min(law.curve.masses) >= 0.0
        assert sum(law.curve.masses) == pytest.approx(1.0)


def test_a_law_survives_its_text() -> None:
    """What is written is read again: the same quantiles, about the same count."""
    law = learned(300)
    again = LatencyDistribution.from_text(law.to_text())

    assert again.quantile(0.5) == pytest.approx(law.quantile(0.5), rel=0.03)
    assert again.quantile(0.95) == pytest.approx(law.quantile(0.95), rel=0.06)
    assert again.count == pytest.approx(law.count, rel=0.1)


@given(st.text())
def test_foreign_text_is_no_law(text: str) -> None:
    """A law is only a hint: what cannot be read is nothing."""
    assert LatencyDistribution.from_text(text).count >= 0.0
    assert LatencyDistribution.from_text("v9 3 1,2").count == 0.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v1",
        "v1 0",
        "v2 0 1",
        "v1 x 1",
        "v1 0 1,x",
        "v1 -1 1",
        "v1 351 1,1,1",
        "v1 0 -1",
        "v1 0 nan",
        "v1 0 inf",
        "v1 0 1e9",
    ],
)
def test_nonsense_is_left_out(text: str) -> None:
    """Another version, another length, another kind of number: nothing is taken."""
    distribution = LatencyDistribution.from_text(text)

    assert (distribution.count, distribution.curve) == (0.0, None)
