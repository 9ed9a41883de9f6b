"""The law behind censored completion times: the self-consistent estimate (Turnbull 1976), smoothed (Silverman 1990).

An observation is an interval of edges ``(low, high]`` with a weight: not finished at the one, finished at the other.
A task that still runs is an interval without an end. Spreading each interval by what all of them say together is what
keeps the law from believing in its own looking times.
"""

from collections.abc import Mapping
from math import exp, sqrt

_ROUNDS = 12  # of the iteration; more follow the noise of 200 observations, fewer blur two modes (measured)
_MARGIN = 16  # bins: an octave beyond what was seen is still possible
_DOUBT = 20.0  # completions that the wider law counts for: a tenth of what is learned from 200
_DOUBT_SPREAD = 1.2  # of the spread seen

Interval = tuple[int, int]


def estimate_masses(
    finished: Mapping[Interval, float], running: Mapping[int, float], *, bins: int
) -> tuple[float, ...]:
    """Give the probability of each bin; empty when nothing finished.

    Args:
        finished: weights by interval of edges.
        running: weights by the edge at which tasks were last seen unfinished.
        bins: how many there are; edges are numbered from 0 to *bins*.

    """
    if not finished:
        return ()
    first = max(0, min(low for low, _ in finished) - _MARGIN)
    last = min(bins, max(max(high for _, high in finished), max(running, default=0)) + _MARGIN)
    count = sum(finished.values())
    total = count + sum(running.values())
    items = [(low - first, high - first, w / total) for (low, high), w in finished.items()]
    items += [(max(0, low - first), last - first, w / total) for low, w in running.items()]
    masses = [1.0 / (last - first)] * (last - first)
    for _ in range(_ROUNDS):
        masses = _smoothed(_expected(masses, items))
    masses = _with_doubt(masses, _DOUBT / (count + _DOUBT))
    return (0.0,) * first + tuple(masses) + (0.0,) * (bins - last)


def _expected(masses: list[float], items: list[tuple[int, int, float]]) -> list[float]:
    cumulative, total = [0.0], 0.0
    for mass in masses:
        total += mass
        cumulative.append(total)
    steps = [0.0] * (len(masses) + 1)
    for low, high, weight in items:
        share = weight / max(1e-12, cumulative[high] - cumulative[low])
        steps[low] += share
        steps[high] -= share
    factor, out = 0.0, []
    for mass, step in zip(masses, steps, strict=False):
        factor += step
        out.append(mass * max(0.0, factor))
    return out


def _smoothed(masses: list[float]) -> list[float]:
    padded = [masses[0], *masses, masses[-1]]
    out = [a + b + b + c for a, b, c in zip(padded, masses, padded[2:], strict=False)]
    total = sum(out)
    return [mass / total for mass in out]


def _with_doubt(masses: list[float], share: float) -> list[float]:
    """Mix in the log-normal law of the same mean and a wider spread: no hole and no end is certain."""
    mean = sum(k * mass for k, mass in enumerate(masses))
    spread = 1.0 + _DOUBT_SPREAD * sqrt(sum((k - mean) ** 2 * mass for k, mass in enumerate(masses)))
    bell = [exp(-0.5 * ((k - mean) / spread) ** 2) for k in range(len(masses))]
    scale = share / sum(bell)
    return [(1.0 - share) * mass + scale * b for mass, b in zip(masses, bell, strict=True)]
