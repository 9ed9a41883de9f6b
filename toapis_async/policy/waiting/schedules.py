"""When to look, given the law of completion times: the inspection problem.

Barlow, Hunter & Proschan 1963; Keller (Management Science 21(3), 1974): looks are best dense in proportion to the
square root of the hazard. That density lays a fine grid of candidate times, and the best looks among them are found
exactly, by dynamic programming, because with two to ten looks per task the density alone leaves 10 to 20 % on the
table.
"""

from bisect import bisect_left
from math import inf, sqrt

import attrs

from toapis_async.policy.waiting.latency_curve import LatencyCurve
from toapis_async.policy.waiting.latency_distribution import LatencyDistribution

_PER_LOOK = 8  # candidate times per look: finer ones gain less than 0.5 %
_MOST_CANDIDATES = 240  # bounds the work on a plan to about 2 ms
_LEAST_CANDIDATES = 64
_UNSEEN = 2e-3  # of all tasks: beyond it the tail begins
_ROUNDS = 8  # of the search for the price of a look; two or three do
_CLOSE = 0.04  # of the looks allowed: near enough
_LEAST_LOOKS = 1.02  # exactly one would be a look after the last task of all has finished
_CHEAPEST = 0.02  # of the floor: what a look must save in mean delay to be worth a query at all


@attrs.frozen
class _Candidates:
    """Times at which a look may be, with the share of tasks finished by then; the first is time zero."""

    times: list[float]
    done: list[float]


@attrs.frozen
class _Schedule:
    times: tuple[float, ...]
    looks: float
    delay: float


def look_times(law: LatencyDistribution, *, floor: float, looks: float) -> tuple[float, ...]:
    """Give the times, in seconds since acceptance, at which to look.

    Args:
        law: with at least one observation.
        floor: seconds before the first look and between two looks.
        looks: the mean number of looks per task that the times may cost, at least one.

    """
    curve = law.curve
    if curve is None:
        return (floor,)
    density = _root_hazard(curve)
    cheapest = _CHEAPEST * floor
    allowed = max(looks, _LEAST_LOOKS)
    # Keller: at price c the density of looks is sqrt(h / 2c), so looks = sqrt(1 / 2c) times the integral of sqrt(f S).
    price = max(cheapest, density[-1] ** 2 / (2.0 * allowed * allowed))
    candidates = _candidates(curve, density, floor, allowed)
    low, high = cheapest, inf
    found: _Schedule | None = None
    for _ in range(_ROUNDS):
        best = _solve(candidates, floor, price)
        if best.looks > allowed:
            low = price
        else:
            high, found = price, best
            if price <= cheapest or best.looks >= (1.0 - _CLOSE) * allowed:
                break
        # One look is always needed; what a price buys is the others.
        guess = price * ((best.looks - 1.0 + _CLOSE) / (allowed * (1.0 - _CLOSE / 2) - 1.0 + _CLOSE)) ** 1.5
        if not low < guess < high:
            guess = sqrt(low * high) if high < inf else 4.0 * price
        price = max(cheapest, guess)
    return (found or _solve(candidates, floor, 1e3 * price)).times


def mean_looks(law: LatencyDistribution, times: tuple[float, ...]) -> float:
    """Give how many of the times an average task lives to see, the one that finds it finished included."""
    return sum(law.survival(t) for t in (0.0, *times[:-1]))


def _root_hazard(curve: LatencyCurve) -> list[float]:
    """Give the integral, at each edge, of the square root of density times survival."""
    edges, cdf = curve.edges, curve.cdf
    total, out = 0.0, [0.0]
    for k in range(len(edges) - 1):
        width = edges[k + 1] - edges[k]
        total += sqrt(max(0.0, cdf[k + 1] - cdf[k]) * width * max(0.0, 1.0 - (cdf[k] + cdf[k + 1]) / 2))
        out.append(total)
    return out


def _candidates(curve: LatencyCurve, density: list[float], floor: float, looks: float) -> _Candidates:
    """Lay candidate times, equally many per expected look, no finer than an eighth of the floor."""
    edges, cdf = curve.edges, curve.cdf
    last = min(len(cdf) - 1, bisect_left(cdf, 1.0 - _UNSEEN))
    # Looks of an average task are fewer than those of the last one: the hazard integral counts the latter.
    reach = _hazard_looks(curve, last)
    total = reach[-1]
    size = int(min(_MOST_CANDIDATES, max(_LEAST_CANDIDATES, _PER_LOOK * looks * total / max(1e-9, density[-1]))))
    finest = floor / _PER_LOOK
    times, done = [0.0], [0.0]
    k, t = 1, floor
    top = max(edges[last], floor)
    step = total / size
    while True:
        while k < last and edges[k] < t:
            k += 1
        low, high = edges[k - 1], edges[k]
        share = min(1.0, max(0.0, (t - low) / (high - low)))
        times.append(t)
        done.append(cdf[k - 1] + share * (cdf[k] - cdf[k - 1]))
        if t >= top:
            return _Candidates(times, done)
        want = reach[k - 1] + share * (reach[k] - reach[k - 1]) + step
        j = min(last, max(1, bisect_left(reach, want)))
        rise = reach[j] - reach[j - 1]
        inside = min(1.0, (want - reach[j - 1]) / rise) if rise > 0.0 else 1.0
        t = min(top, max(t + finest, edges[j - 1] + inside * (edges[j] - edges[j - 1])))


def _hazard_looks(curve: LatencyCurve, last: int) -> list[float]:
    """Give the integral, at each edge up to the last, of the square root of the hazard."""
    edges, cdf = curve.edges, curve.cdf
    total, out = 0.0, [0.0]
    for k in range(last):
        width = edges[k + 1] - edges[k]
        alive = max(_UNSEEN, 1.0 - (cdf[k] + cdf[k + 1]) / 2)
        total += sqrt(max(0.0, cdf[k + 1] - cdf[k]) * width / alive)
        out.append(total)
    return out


def _solve(candidates: _Candidates, floor: float, price: float) -> _Schedule:
    """Find the looks with the least mean delay plus price times mean looks."""
    times, done = candidates.times, candidates.done
    end = len(times) - 1
    cost, follow = [0.0] * (end + 1), [end] * (end + 1)
    upper = end
    for i in range(end - 1, -1, -1):
        here, base = times[i], done[i]
        low = bisect_left(times, here + floor - 1e-9, i + 1)
        # The costs are Monge, so the best next look never moves forward while i moves back.
        best, arg = (here + floor) * (done[end] - base), end
        if low <= end:
            best = inf
        for j in range(low, max(low, upper) + 1 if low <= end else low):
            total = times[j] * (done[j] - base) + cost[j]
            if total < best:
                best, arg = total, j
        upper = follow[i] = arg
        cost[i] = best + price * (1.0 - base)
    looks, chosen, i = 1.0, [0.0], 0
    while i < end:
        i = follow[i]
        chosen.append(max(times[i], chosen[-1] + floor))
        if i < end:
            looks += 1.0 - done[i]
    return _Schedule(tuple(chosen[1:]), looks, cost[0] - price * looks)
