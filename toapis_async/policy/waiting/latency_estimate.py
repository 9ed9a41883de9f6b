"""The distribution behind looks: a self-consistent estimate of the hazard (Turnbull 1976), smoothed (Silverman 1990).

A look is a trial: the task was unfinished at the edge ``low``; at the edge ``high`` it is finished, or it is not.
Counting what was at risk, and not only what finished, keeps the estimate from favouring the fast while a run starts;
and spreading each finish over its interval by what all looks say keeps it from believing in its own looking times.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import erfc, exp, sqrt

from toapis_async.policy.waiting.latency_curve import COARSEST, LAST_EDGE, LatencyCurve, coarse_edge
from toapis_async.policy.waiting.likelihood import Observations, fit_bell, moved_shape

_ROUNDS = 12  # of the iteration; more follow the noise of 200 observations, fewer blur two modes (measured)
_PRIOR_TURNS = (4, 8)  # rounds at which the smooth one is fitted anew
_PRIOR_RISK = 8.0  # tasks at risk that the smooth one counts for, where few or none were seen
_DOUBT = 10.0  # completions that the smooth one counts for in the end: no hole in what was seen is certain
_SHAPE_RISK = 16.0  # the same of one known by its shape
_SHAPE_DOUBT = 16.0
_LIKELY_DOUBT = 1e-3  # of all tasks: none is less likely than this

_MARGIN = 16  # coarse bins: an octave beyond what was seen is still possible
_NARROW = 3.0  # coarse bins: the smoothing alone makes a distribution nearly that wide
_AS_LIKELY = 3.0  # of log likelihood: what was narrow stays so where what was seen does not speak against it
_END = coarse_edge(LAST_EDGE, COARSEST)


def estimate(seen: Observations, *, shape: LatencyCurve | None, before: LatencyCurve | None) -> LatencyCurve:
    """Give the distribution behind what was seen: on the coarse grid, and as a bell where that is too coarse.

    Args:
        seen: on the finest grid; without a completion only when there is a shape.
        shape: a distribution as this one, but slower or faster, on the coarse grid; or None.
        before: what was believed so far, unless it was contradicted; or None.

    """
    coarse = _coarse_estimate(seen.on_grid(COARSEST), shape)
    if not seen.ends:
        return coarse
    if coarse.spread < _NARROW:
        return fit_bell(coarse, coarse, seen)
    if before is not None and before.factor < COARSEST:
        # Once each first look finds its task finished, the looks say little: they fit wide distributions, too.
        bell = fit_bell(coarse, before, seen)
        gain = [seen.log_likelihood(curve.done_at, doubt=_LIKELY_DOUBT) for curve in (bell, coarse)]
        if gain[0] >= gain[1] - _AS_LIKELY:
            return bell
    return coarse


def _coarse_estimate(seen: Observations, shape: LatencyCurve | None) -> LatencyCurve:
    first, last = _END, 0
    if seen.ends:
        first = min(low for low, _ in seen.ends) - _MARGIN
        last = max([*seen.risk, *(high for _, high in seen.ends)]) + _MARGIN
    expected = None if shape is None else moved_shape(shape, seen)
    if expected is not None:
        first = min(first, expected.first)
        last = max(last, expected.first + len(expected.masses) + 1)
    last = min(_END, last)
    first = max(0, min(first, last - 1))
    prior = None if expected is None else expected.on_grid(COARSEST, first=first, last=last)
    return LatencyCurve(COARSEST, first, tuple(_masses(seen, first=first, last=last, expected=prior)))


def _masses(seen: Observations, *, first: int, last: int, expected: Sequence[float] | None) -> list[float]:
    """Give the probability of each bin from edge *first* to edge *last*; they sum to one.

    Args:
        seen: on this grid; intervals beyond the edges are cut.
        first, last: the edges between which everything finishes.
        expected: a probability per bin; None for a bell that is fitted to what is found.

    """
    size = last - first
    at_risk = _exposure(seen.risk, first, size)
    items = [
        (max(0, min(size - 1, low - first)), max(1, min(size, high - first)), weight)
        for (low, high), weight in seen.ends.items()
    ]
    masses = [1.0 / size] * size if expected is None else list(expected)
    risk = _PRIOR_RISK if expected is None else _SHAPE_RISK
    prior = [0.0] * size if expected is None else _hazard(expected)
    for turn in range(_ROUNDS):
        if expected is None and turn in _PRIOR_TURNS:
            prior = _smooth_hazard(masses)
        masses = _smoothed(_with_rest(*_next_masses(masses, items, at_risk, prior, risk)))
    doubt = _DOUBT if expected is None else _SHAPE_DOUBT
    return _mixed(masses, _bell(masses) if expected is None else expected, doubt / (seen.count + doubt))


def _exposure(steps: Mapping[int, float], first: int, size: int) -> list[float]:
    within = [0.0] * size
    for edge, weight in steps.items():
        if edge < first + size:
            within[max(0, edge - first)] += weight
    total, out = 0.0, []
    for step in within:
        total += step
        out.append(max(0.0, total))
    return out


def _next_masses(
    masses: list[float],
    items: list[tuple[int, int, float]],
    at_risk: list[float],
    prior: Sequence[float],
    prior_risk: float,
) -> tuple[list[float], float]:
    """One round: spread the finishes by the masses, divide by what was at risk, and turn hazards into masses."""
    done, total = [0.0], 0.0
    for mass in masses:
        total += mass
        done.append(total)
    rate_steps, end_steps = [0.0] * (len(masses) + 1), [0.0] * (len(masses) + 1)
    for low, high, weight in items:
        until = done[high]
        share = weight / max(1e-12, until - done[low])
        rate_steps[low] += share
        rate_steps[high] -= share
        until *= share
        end_steps[low] += until
        end_steps[high] -= until
    rate = end = 0.0
    alive, out = 1.0, []
    for mass, before, rate_step, end_step, exposed, expected in zip(
        masses, done, rate_steps, end_steps, at_risk, prior, strict=False
    ):
        rate += rate_step
        end += end_step
        # Of those that finish in an interval, the ones that have not yet done so when the bin begins are at risk in it.
        waiting = end - rate * before
        risk = exposed + prior_risk + max(0.0, waiting)
        hazard = min(1.0, (mass * max(0.0, rate) + prior_risk * expected) / risk)
        mass_here = alive * hazard
        out.append(mass_here)
        alive -= mass_here
    return out, alive


def _with_rest(masses: list[float], rest: float) -> list[float]:
    """Spread what nobody has seen finish over the last bins."""
    tail = min(_MARGIN, len(masses))
    for k in range(len(masses) - tail, len(masses)):
        masses[k] += rest / tail
    return masses


def _fit(masses: Sequence[float]) -> tuple[float, float]:
    """Fit the smooth one, a log-normal: its mean and standard deviation in bins, which are logarithmic."""
    mean = sum(k * mass for k, mass in enumerate(masses))
    return mean, 1.0 + sqrt(sum((k - mean) ** 2 * mass for k, mass in enumerate(masses)))


def _smooth_hazard(masses: list[float]) -> list[float]:
    mean, spread = _fit(masses)
    scale = 1.0 / (spread * sqrt(2.0))
    alive = [max(1e-12, 0.5 * erfc((k - 0.5 - mean) * scale)) for k in range(len(masses) + 1)]
    return [1.0 - after / before for before, after in pairwise(alive)]


def _hazard(masses: Sequence[float]) -> list[float]:
    alive, out = 1.0, []
    for mass in masses:
        out.append(min(1.0, mass / max(1e-9, alive)))
        alive -= mass
    return out


def _bell(masses: list[float]) -> list[float]:
    mean, spread = _fit(masses)
    bell = [exp(-0.5 * ((k - mean) / spread) ** 2) for k in range(len(masses))]
    total = sum(bell)
    return [b / total for b in bell]


def _smoothed(masses: list[float]) -> list[float]:
    padded = [masses[0], *masses, masses[-1]]
    out = [a + b + b + c for a, b, c in zip(padded, masses, padded[2:], strict=False)]
    total = sum(out)
    return [mass / total for mass in out]


def _mixed(masses: list[float], other: Sequence[float], share: float) -> list[float]:
    return [(1.0 - share) * mass + share * b for mass, b in zip(masses, other, strict=True)]
