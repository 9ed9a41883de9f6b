"""Times on a logarithmic grid: fine for what is kept, coarser by a whole factor for what is estimated.

Edge 0 is time zero; edge ``i`` from 1 on is ``FIRST_EDGE * 2 ** ((i - 1) / FINE_PER_OCTAVE)`` seconds.
"""

from math import log2
from typing import TypeAlias

FIRST_EDGE = 0.05  # seconds; nothing at the gateway is faster
FINE_PER_OCTAVE = 128  # 0.5 % a bin: what a law of a constant second is worth knowing to
COARSEST = 8  # fine bins per coarse one, 4.4 %: a sixth of the narrowest law measured (log-normal, sigma 0.25)
_OCTAVES = 22  # up to 58 hours: results are kept for 24 hours, and a task may be late
LAST_EDGE = FINE_PER_OCTAVE * _OCTAVES + 1
LONGEST = FIRST_EDGE * 2**_OCTAVES  # seconds
_NEAREST = 1.5 - FINE_PER_OCTAVE * log2(FIRST_EDGE)

Interval: TypeAlias = tuple[int, int]


def edge_index(seconds: float) -> int:
    """Give the index of the edge that is nearest to a time, on the logarithmic scale."""
    if seconds <= FIRST_EDGE / 2:
        return 0
    index = int(log2(seconds) * FINE_PER_OCTAVE + _NEAREST) if seconds < LONGEST else LAST_EDGE
    return index if index > 0 else 1


def edge_seconds(index: int, factor: int = 1) -> float:
    """Give the time of an edge of the grid that is coarser by a factor."""
    return FIRST_EDGE * 2.0 ** ((index - 1) * factor / FINE_PER_OCTAVE) if index > 0 else 0.0


def coarse_edge(index: int, factor: int) -> int:
    """Give the nearest edge of the grid that is coarser by a factor."""
    return (index - 1 + factor // 2) // factor + 1 if index > 0 else 0


def fine_edge(index: int, factor: int) -> int:
    """Give an edge of the grid that is coarser by a factor as one of the finest."""
    return (index - 1) * factor + 1 if index > 0 else 0


def coarse_interval(interval: Interval, factor: int) -> Interval:
    """Give the interval on the grid that is coarser by a factor; never an empty one."""
    low, high = coarse_edge(interval[0], factor), coarse_edge(interval[1], factor)
    if high > low:
        return low, high
    high = max(1, -((2 - interval[0] - interval[1]) // (2 * factor)) + 1)
    return high - 1, high
