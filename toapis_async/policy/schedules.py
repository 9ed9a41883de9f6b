"""When to look, given the law of completion times: the inspection problem.

Keller (Management Science 21(3), 1974): looks are best dense in proportion to the square root of the hazard.
"""

from math import sqrt

from toapis_async.policy.latency_law import EDGES, LatencyLaw

_HALVINGS = 24  # of the search for the density: 2**-24 of its range is finer than any clock
_UNSEEN = 1e-3  # of all tasks: beyond it the tail begins


def look_times(law: LatencyLaw, *, floor: float, looks: float) -> tuple[float, ...]:
    """Give the times, in seconds since acceptance, at which to look.

    Args:
        law: with at least one observation.
        floor: seconds before the first look and between two looks.
        looks: the mean number of looks per task that the times may cost.

    """
    low, high = 1e-4, 1e4
    for _ in range(_HALVINGS):
        middle = sqrt(low * high)
        if mean_looks(law, _keller_times(law, floor, middle)) > looks:
            high = middle
        else:
            low = middle
    return _keller_times(law, floor, low)


def mean_looks(law: LatencyLaw, times: tuple[float, ...]) -> float:
    """Give how many of the times an average task lives to see, the one that finds it finished included."""
    return sum(law.survival(t) for t in (0.0, *times[:-1]))


def mean_delay(law: LatencyLaw, times: tuple[float, ...]) -> float:
    """Give the mean seconds from completion to the look that sees it, of those that finish within the times."""
    alive = [law.survival(t) for t in (0.0, *times)]
    seen = sum(t * (a - b) for t, a, b in zip(times, alive, alive[1:], strict=False))
    cdf = law.cdf()
    mean = sum((EDGES[k] + EDGES[k + 1]) / 2 * (cdf[k + 1] - cdf[k]) for k in range(len(cdf) - 1))
    return seen - mean


def _keller_times(law: LatencyLaw, floor: float, scale: float) -> tuple[float, ...]:
    masses, cdf = law.masses(), law.cdf()
    times: list[float] = []
    due, last = 0.5, 0.0
    for k, mass in enumerate(masses):
        alive = 1.0 - cdf[k]
        if alive < _UNSEEN:
            break
        start, width = EDGES[k], EDGES[k + 1] - EDGES[k]
        density = scale * sqrt(mass / width / alive)
        done = 0.0
        while density > 0.0 and (width - done) * density >= due:
            done += due / density
            due = 1.0
            if start + done >= last + floor:
                last = start + done
                times.append(last)
            else:
                due = max(1e-9, (last + floor - start - done) * density)
        due -= (width - done) * density
    return tuple(times) or (max(floor, law.quantile(0.5)),)
