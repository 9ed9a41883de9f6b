"""What a limit without a unit means."""

import pytest

from toapis_async.policy.pace.rate_limit_status import RateLimitStatus
from toapis_async.policy.pace.refill import RefillMeter


def statuses(limit: float, refill: float, sent_per_second: float, *, window: float | None = None) -> list[float | None]:
    """The findings at a gateway that refills so fast, while we send so fast, over five seconds."""
    meter, found = RefillMeter(), []
    tokens, served = 50.0, 0
    for _ in range(45):
        tokens -= 1.0
        served += 1
        meter.hear(0.0, RateLimitStatus(limit=limit, remaining=tokens), served=served, unheard=0)
    step = 1.0 / sent_per_second
    now = 0.0
    while now < 5.0:
        now += step
        tokens = min(50.0, tokens + refill * step) - 1.0
        served += 1
        finding = meter.hear(
            now,
            RateLimitStatus(limit=limit, window_seconds=window, remaining=float(int(tokens))),
            served=served,
            unheard=0,
        )
        if finding is not None:
            found.append(finding.per_second)
    return found


@pytest.mark.parametrize(("limit", "refill"), [(300.0, 5.0), (50.0, 5.0), (5.0, 5.0), (3000.0, 50.0), (50.0, 50.0)])
def test_limit_and_growth_agree_in_one_unit(limit: float, refill: float) -> None:
    """Per minute, per ten seconds, per second: the growth of Remaining tells which."""
    found = statuses(limit, refill, 5.0)

    assert found
    assert set(found) == {refill}


def test_disagreement_is_a_finding_too() -> None:
    """A limit that fits no unit is not believed."""
    found = statuses(777.0, 5.0, 5.0)

    assert found
    assert set(found) == {None}


def test_a_named_window_leaves_no_choice() -> None:
    """The header's own unit is the only one."""
    assert set(statuses(300.0, 5.0, 5.0, window=60.0)) == {5.0}
    assert set(statuses(300.0, 5.0, 5.0, window=1.0)) == {None}


def test_a_full_budget_hides_its_growth() -> None:
    """Where Remaining stands at its fullest nothing can be measured."""
    meter = RefillMeter()
    for n in range(200):
        finding = meter.hear(n * 0.2, RateLimitStatus(limit=50.0, remaining=49.0), served=n, unheard=0)

        assert finding is None


def test_without_limit_or_remaining_there_is_no_finding() -> None:
    """Half a statement is none."""
    meter = RefillMeter()

    assert meter.hear(1.0, RateLimitStatus(limit=5.0), served=1, unheard=0) is None
    assert meter.hear(2.0, RateLimitStatus(remaining=5.0), served=1, unheard=0) is None


def test_a_proportion_is_no_count() -> None:
    """Remaining that falls by sixty per request is not a number of requests."""
    meter = RefillMeter()
    for n in range(60):
        finding = meter.hear(n * 0.1, RateLimitStatus(limit=3000.0, remaining=3000.0 - 60.0 * n), served=n, unheard=0)

        assert finding is None
    assert meter.next_meaning(5.0, 100.0) is None


def test_rates_that_a_limit_may_mean_are_named() -> None:
    """50 per second, or per ten, or per minute."""
    meter = RefillMeter()
    meter.hear(0.0, RateLimitStatus(limit=50.0, remaining=40.0), served=1, unheard=0)

    assert meter.next_meaning(4.0, 6.0) == 5.0
    assert meter.next_meaning(6.0, 40.0) is None
