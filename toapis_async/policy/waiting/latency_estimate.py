"""The law behind looks: a self-consistent estimate of the hazard (Turnbull 1976), smoothed (Silverman 1990).

A look is a trial: the task was unfinished at the edge ``low``; at the edge ``high`` it is finished, or it is not.
Counting what was at risk, and not only what finished, keeps the law from favouring the fast while a run starts; and
spreading each finish over its interval by what all looks say keeps it from believing in its own looking times.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import erfc, exp, sqrt
from typing import TypeAlias

from toapis_async.policy.waiting.latency_grid import Interval

_ROUNDS = 12  # of the iteration; more follow the noise of 200 observations, fewer blur two modes (measured)
_PRIOR_TURNS = (4, 8)  # rounds at which the smooth law is fitted anew
_PRIOR_RISK = 8.0  # tasks at risk that the smooth law counts for, where few or none were seen
_DOUBT = 10.0  # completions that the smooth law counts for in the end: no hole in what was seen is certain
_SHAPE_RISK = 16.0  # the same of a law known by its shape
_SHAPE_DOUBT = 16.0

Prior: TypeAlias = Sequence[float]


def estimate_masses(
    finished: Mapping[Interval, float],
    risk_steps: Mapping[int, float],
    *,
    first: int,
    last: int,
    tail: int,
    shape: Prior | None = None,
) -> list[float]:
    """Give the probability of each bin from edge *first* to edge *last*; they sum to one.

    Args:
        finished: weights by interval of edges; not empty.
        risk_steps: by edge, how much more was at risk from there on without finishing; negative for less.
        first, last: the edges between which everything finishes; intervals beyond are cut.
        tail: the last bins, over which is spread what nobody has seen finish.
        shape: what is expected, a probability per bin; None for a bell that is fitted to what is found.

    """
    size = last - first
    at_risk = _exposure(risk_steps, first, size)
    items = [
        (max(0, min(size - 1, low - first)), max(1, min(size, high - first)), weight)
        for (low, high), weight in finished.items()
    ]
    masses = [1.0 / size] * size if shape is None else list(shape)
    risk = _PRIOR_RISK if shape is None else _SHAPE_RISK
    prior = [0.0] * size if shape is None else _hazard(shape)
    for turn in range(_ROUNDS):
        if shape is None and turn in _PRIOR_TURNS:
            prior = _smooth_hazard(masses)
        masses = _smoothed(_with_rest(*_next_masses(masses, items, at_risk, prior, risk), tail=tail))
    doubt = _DOUBT if shape is None else _SHAPE_DOUBT
    count = sum(finished.values())
    return _mixed(masses, _bell(masses) if shape is None else shape, doubt / (count + doubt))


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
    masses: list[float], items: list[tuple[int, int, float]], at_risk: list[float], prior: Prior, prior_risk: float
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


def _with_rest(masses: list[float], rest: float, *, tail: int) -> list[float]:
    """Spread what nobody has seen finish over the bins beyond."""
    tail = min(tail, len(masses))
    for k in range(len(masses) - tail, len(masses)):
        masses[k] += rest / tail
    return masses


def _fit(masses: Sequence[float]) -> tuple[float, float]:
    """Fit the smooth law, a log-normal: its mean and standard deviation in bins, which are logarithmic."""
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


def _mixed(masses: list[float], other: Prior, share: float) -> list[float]:
    return [(1.0 - share) * mass + share * b for mass, b in zip(masses, other, strict=True)]
