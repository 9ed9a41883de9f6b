"""The book of laws."""

from heapq import heappop, heappush
from math import exp
from random import Random

import pytest

from toapis_async.policy.waiting.latency import LatencyBook, Watch
from toapis_async.policy.waiting.polling import FixedPolling, LearnedPolling


def test_plans_are_made_once_and_again_when_the_law_has_learned() -> None:
    """The same plan until the law's version moves, the budget moves by a tenth, or the setting changes."""
    book, polling = LatencyBook(), LearnedPolling()
    first = book.plan("k", polling, looks=10.0)
    same = book.plan("k", polling, looks=10.5)
    other_budget = book.plan("k", polling, looks=5.0)
    for _ in range(40):
        book.observe("k", 19.0, 21.0)
    learned = book.plan("k", polling, looks=5.0)
    other = book.plan("k", FixedPolling(3.0), looks=None)

    assert first is same
    assert other_budget is not first
    assert learned is not other_budget
    assert other.next_delay(0.0, Random(1)) == 3.0


def test_keys_are_apart() -> None:
    """What one kind of task teaches says nothing about another."""
    book = LatencyBook()
    book.observe("image|a|1K", 1.0, 2.0)

    assert book.law("image|a|1K") is not None
    assert book.law("image|b|1K") is None


def test_the_number_of_laws_is_bounded() -> None:
    """The oldest go."""
    book = LatencyBook()
    for n in range(100):
        book.observe(f"k{n}", 1.0, 2.0)

    assert book.law("k0") is None
    assert book.law("k99") is not None


def test_a_book_survives_its_text() -> None:
    """Between runs, and merged with what is there."""
    book = LatencyBook()
    for _ in range(50):
        book.observe("image|a|", 19.0, 21.0)
        book.observe("video|b|1080p", 119.0, 121.0)
    again = LatencyBook.from_text(book.to_text())
    again.merge_text("broken line\nimage|a|\tnonsense")

    assert again.law("image|a|").quantile(0.5) == pytest.approx(20.0, rel=0.05)
    assert again.law("video|b|1080p").quantile(0.5) == pytest.approx(120.0, rel=0.05)


def test_a_watch_tells_what_its_looks_found() -> None:
    """The first delay is no look; each later one says that the task still ran; the end says when it finished."""
    book = LatencyBook()
    book.observe("k", 1.0, 2.0)
    random = Random(1)
    for _ in range(20):
        watch = book.watch("k", LearnedPolling(min_interval=1.0), looks=lambda: None)
        watch.next_delay(300.0, random)
        watch.next_delay(10.0, random)
        watch.next_delay(12.0, random)
        watch.finished(12.0, 13.0)
    gone = book.watch("k", LearnedPolling(), looks=lambda: None)
    gone.next_delay(0.0, random)
    gone.gone()

    law = book.law("k")
    assert law.count == pytest.approx(21.0, rel=0.05)
    assert law.quantile(0.5) == pytest.approx(12.5, rel=0.05)


def test_plans_are_forgotten_with_time() -> None:
    """Models whose tasks never end leave no more plans behind than a book has room for."""
    book, polling = LatencyBook(), LearnedPolling()
    for number in range(1000):
        book.plan(f"image|model-{number}|", polling, looks=None)
    assert len(book._plans) <= 64


def lateness(laws: list[tuple[float, int]], floor: float, seed: int) -> float:
    """Accept five tasks a second of one length after another; give how late, on average, the plan at the end is.

    Args:
        laws: lengths in seconds, each until so many of its own tasks were seen finished.
        floor: seconds between two looks.
        seed: for two per cent of spread and for the jitter.

    """
    book, polling, random = LatencyBook(), LearnedPolling(min_interval=floor), Random(seed)
    pending: list[tuple[float, int, float, float, Watch, float]] = []
    accepted = 0
    for seconds, completions in laws:
        first, done = accepted, 0
        while done < completions:
            due = accepted / 5.0
            if not pending or due <= pending[0][0]:
                watch = book.watch("k", polling, looks=lambda: None)
                took = seconds * exp(random.gauss(0.0, 0.02))
                heappush(pending, (due + watch.next_delay(0.0, random), accepted, due, took, watch, 0.0))
                accepted += 1
                continue
            now, task, begun, took, watch, last = heappop(pending)
            if now - begun >= took:
                watch.finished(last, now - begun)
                done += task >= first
            else:
                again = now + watch.next_delay(now - begun, random)
                heappush(pending, (again, task, begun, took, watch, now - begun))
    plan, late = book.plan("k", polling, looks=None), 0.0
    for _ in range(200):
        t, took = 0.0, laws[-1][0] * exp(random.gauss(0.0, 0.02))
        while t < took:
            t += plan.next_delay(t, random)
        late += (t - took) / 200
    return late


@pytest.mark.parametrize("before", [20.0, 40.0, 10.0])
def test_tasks_of_nearly_the_same_length_are_found_soon_after_any_change(before: float) -> None:
    """Twice as fast, too: a first look that finds every task finished does not say when they did."""
    late = [lateness([(before, 400), (20.0, 200)], 5.0, seed) for seed in range(6)]

    assert sum(late) / len(late) <= 2.5
