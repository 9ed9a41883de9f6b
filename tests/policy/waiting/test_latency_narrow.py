"""Laws too narrow for the grid, by way of the law that reads them."""

from random import Random

import pytest

from toapis_async.policy.waiting.latency import LatencyBook
from toapis_async.policy.waiting.latency_law import LatencyLaw
from toapis_async.policy.waiting.polling import LearnedPolling


def delays_at(took: float, floor: float, *, tasks: int = 400, seed: int = 1, abreast: int = 20) -> list[float]:
    """Let tasks of one constant length be polled, some at a time; give how late each was found finished."""
    book, polling, random = LatencyBook(), LearnedPolling(min_interval=floor), Random(seed)
    delays: list[float] = []
    for _ in range(tasks // abreast):
        watches = [book.watch("k", polling, looks=lambda: None) for _ in range(abreast)]
        waits = [[watch, 0.0, watch.next_delay(0.0, random)] for watch in watches]
        while waits:
            watch, before, now = waits.pop(min(range(len(waits)), key=lambda k: waits[k][2]))
            now += random.uniform(0.0, 0.004)
            if now >= took:
                watch.finished(before, now)
                delays.append(now - took)
            else:
                waits.append([watch, now, now + watch.next_delay(now, random)])
    return delays


@pytest.mark.parametrize(("took", "floor"), [(1.0, 0.2), (1.0, 0.05), (3.0, 0.5), (20.0, 5.0), (0.73, 0.2)])
def test_a_constant_is_found_almost_at_once(took: float, floor: float) -> None:
    """After 200 tasks the look comes within 6 % of a second for each second, not half a floor later."""
    delays = delays_at(took, floor)

    assert sum(delays[200:]) / len(delays[200:]) <= 0.06 * took


def test_a_narrow_law_stays_narrow_when_its_looks_say_little() -> None:
    """Once every first look finds its task finished, what was learned before still stands."""
    law, random = LatencyLaw(), Random(1)
    for _ in range(100):
        after = random.uniform(0.9, 1.0)
        law.observe(after, after + 0.1, known=law.unfinished(0, after))
    assert law.curve is not None
    for _ in range(1500):
        law.observe(0.0, 1.03)
        assert law.curve is not None

    assert law.quantile(0.05) > 0.9
    assert law.quantile(0.95) < 1.06


def test_a_straggler_does_not_widen_a_narrow_law() -> None:
    """One task in a hundred takes three times as long."""
    law, random = LatencyLaw(), Random(1)
    for n in range(300):
        took = 60.0 if n % 100 == 50 else 20.0
        after = took * random.uniform(0.96, 1.0)
        law.observe(after, after + 0.04 * took, known=law.unfinished(0, after))

    assert law.quantile(0.9) - law.quantile(0.1) < 1.0
