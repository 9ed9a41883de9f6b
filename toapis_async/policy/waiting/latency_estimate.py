"""The law behind looks: a self-consistent estimate of the hazard (Turnbull 1976), smoothed (Silverman 1990).

A look is a trial: the task was unfinished at the edge ``low``; at the edge ``high`` it is finished, or it is not.
Counting what was at risk, and not only what finished, keeps the law from favouring the fast while a run starts; and
spreading each finish over its interval by what all looks say keeps it from believing in its own looking times.
"""

from collections.abc import Mapping
from itertools import pairwise
from math import erfc, exp, sqrt

_ROUNDS = 12  # of the iteration; more follow the noise of 200 observations, fewer blur two modes (measured)
_MARGIN = 16  # bins: an octave beyond what was seen is still possible
_PRIOR_TURNS = (4, 8)  # rounds at which the smooth law is fitted anew
_PRIOR_RISK = 8.0  # tasks at risk that the smooth law counts for, where few or none were seen
_DOUBT = 10.0  # completions that the smooth law counts for in the end: no hole in what was seen is certain

Interval = tuple[int, int]


def estimate_masses(
    finished: Mapping[Interval, float], survived: Mapping[Interval, float], *, bins: int
) -> tuple[float, ...]:
    """Give the probability of each bin; empty when nothing finished.

    Args:
        finished: weights by interval of edges.
        survived: weights by interval of edges.
        bins: how many there are; edges are numbered from 0 to *bins*.

    """
    if not finished:
        return ()
    first = max(0, min(low for low, _ in finished) - _MARGIN)
    ends = [high for _, high in finished] + [high for _, high in survived]
    last = min(bins, max(ends) + _MARGIN)
    size = last - first
    at_risk = _exposure(survived, first, size)
    items = [(low - first, high - first, weight) for (low, high), weight in finished.items()]
    masses = [1.0 / size] * size
    prior = [0.0] * size
    for turn in range(_ROUNDS):
        if turn in _PRIOR_TURNS:
            prior = _smooth_hazard(masses)
        masses = _smoothed(_next_masses(masses, items, at_risk, prior))
    masses = _with_doubt(masses, _DOUBT / (sum(finished.values()) + _DOUBT))
    return (0.0,) * first + tuple(masses) + (0.0,) * (bins - last)


def _exposure(survived: Mapping[Interval, float], first: int, size: int) -> list[float]:
    steps = [0.0] * (size + 1)
    for (low, high), weight in survived.items():
        if high > first:
            steps[max(0, low - first)] += weight
            steps[high - first] -= weight
    total, out = 0.0, []
    for step in steps[:size]:
        total += step
        out.append(total)
    return out


def _next_masses(
    masses: list[float], items: list[tuple[int, int, float]], at_risk: list[float], prior: list[float]
) -> list[float]:
    """One round: spread the finishes by the masses, divide by what was at risk, and turn hazards into masses."""
    done, total = [0.0], 0.0
    for mass in masses:
        total += mass
        done.append(total)
    rate_steps, end_steps = [0.0] * (len(masses) + 1), [0.0] * (len(masses) + 1)
    for low, high, weight in items:
        share = weight / max(1e-12, done[high] - done[low])
        rate_steps[low] += share
        rate_steps[high] -= share
        end_steps[low] += share * done[high]
        end_steps[high] -= share * done[high]
    rate = end = 0.0
    alive, out = 1.0, []
    for k, mass in enumerate(masses):
        rate += rate_steps[k]
        end += end_steps[k]
        # Of those that finish in an interval, the ones that have not yet done so when bin k begins are at risk in it.
        risk = at_risk[k] + max(0.0, end - rate * done[k])
        deaths = mass * max(0.0, rate)
        hazard = min(1.0, (deaths + _PRIOR_RISK * prior[k]) / max(1e-9, risk + _PRIOR_RISK))
        out.append(alive * hazard)
        alive *= 1.0 - hazard
    return _with_rest(out, alive)


def _with_rest(masses: list[float], rest: float) -> list[float]:
    """Spread what nobody has seen finish over the margin beyond."""
    tail = min(_MARGIN, len(masses))
    for k in range(len(masses) - tail, len(masses)):
        masses[k] += rest / tail
    return masses


def _bell(masses: list[float]) -> tuple[float, float]:
    """Fit the smooth law, a log-normal: its mean and standard deviation in bins, which are logarithmic."""
    mean = sum(k * mass for k, mass in enumerate(masses))
    return mean, 1.0 + sqrt(sum((k - mean) ** 2 * mass for k, mass in enumerate(masses)))


def _smooth_hazard(masses: list[float]) -> list[float]:
    mean, spread = _bell(masses)
    scale = 1.0 / (spread * sqrt(2.0))
    alive = [max(1e-12, 0.5 * erfc((k - 0.5 - mean) * scale)) for k in range(len(masses) + 1)]
    return [1.0 - after / before for before, after in pairwise(alive)]


def _smoothed(masses: list[float]) -> list[float]:
    padded = [masses[0], *masses, masses[-1]]
    out = [a + b + b + c for a, b, c in zip(padded, masses, padded[2:], strict=False)]
    total = sum(out)
    return [mass / total for mass in out]


def _with_doubt(masses: list[float], share: float) -> list[float]:
    mean, spread = _bell(masses)
    bell = [exp(-0.5 * ((k - mean) / spread) ** 2) for k in range(len(masses))]
    scale = share / sum(bell)
    return [(1.0 - share) * mass + scale * b for mass, b in zip(masses, bell, strict=True)]
