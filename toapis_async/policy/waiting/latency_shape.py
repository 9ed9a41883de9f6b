"""A law that has changed is most often the old one, slower or faster: by how much is soon known.

On the logarithmic grid that is a move. The best one is found by its likelihood, which counts the tasks that still run
as well as those that have finished.
"""

from collections.abc import Iterable, Mapping
from math import log

from toapis_async.policy.waiting.latency_curve import LawCurve
from toapis_async.policy.waiting.latency_grid import FINE_PER_OCTAVE, Interval

_REACH = 3 * FINE_PER_OCTAVE  # up to eight times as slow or as fast
_STRIDES = (32, 8, 2)  # of the search, in the finest bins; the next one looks around the best of the last
_PER_OCTAVE = 2.0  # of log likelihood: what only still runs shall not move the law further than it must
_DOUBT = 0.02  # of all tasks need not have followed the shape: one of them rules out no move


def best_move(shape: LawCurve, finished: Mapping[Interval, float], risk_steps: Mapping[int, float]) -> int:
    """Give by how many of the finest bins all times of the shape are to be moved to fit what was seen."""
    ends, steps = list(finished.items()), list(risk_steps.items())
    centre, reach = 0, _REACH
    for stride in _STRIDES:
        if stride < shape.factor:
            break
        moves = range(centre - reach, centre + reach + 1, stride)
        centre, reach = _best(shape, moves, ends, steps), stride
    return centre


def _best(
    shape: LawCurve, moves: Iterable[int], ends: list[tuple[Interval, float]], steps: list[tuple[int, float]]
) -> int:
    return max(moves, key=lambda move: _fit(shape, move, ends, steps))


def _fit(shape: LawCurve, move: int, ends: list[tuple[Interval, float]], steps: list[tuple[int, float]]) -> float:
    total, done = -_PER_OCTAVE * abs(move) / FINE_PER_OCTAVE, shape.done_at
    for (low, high), weight in ends:
        before = done(low - move)
        total += weight * log((1.0 - _DOUBT) * (done(high - move) - before) / max(1e-9, 1.0 - before) + _DOUBT / 10)
    for edge, weight in steps:
        total -= weight * log(max(_DOUBT / 10, 1.0 - done(edge - move)))
    return total
