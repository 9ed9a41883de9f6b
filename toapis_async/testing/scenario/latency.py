"""How long tasks take: distributions to draw seconds from."""

import math
from random import Random
from typing import Protocol

import attrs
from attrs.validators import ge, gt


class LatencyModel(Protocol):
    """A distribution of task durations."""

    def draw(self, rng: Random) -> float:
        """Seconds from acceptance to the end of one task."""
        ...


@attrs.frozen
class Constant:
    """Every task takes the same time.

    Attributes:
        seconds: that time.

    """

    seconds: float = attrs.field(converter=float, validator=ge(0))

    def draw(self, rng: Random) -> float:
        """See ``LatencyModel.draw``."""
        return self.seconds


@attrs.frozen
class Uniform:
    """Anything between two bounds.

    Attributes:
        low, high: seconds.

    """

    low: float = attrs.field(converter=float, validator=ge(0))
    high: float = attrs.field(converter=float, validator=ge(0))

    def draw(self, rng: Random) -> float:
        """See ``LatencyModel.draw``."""
        return rng.uniform(self.low, self.high)


@attrs.frozen
class LogNormal:
    """Most tasks near the median and a long tail: what generation services look like.

    Attributes:
        median: seconds.
        sigma: the spread of the logarithm; 0.25 is narrow, 0.8 is wide.

    """

    median: float = attrs.field(converter=float, validator=gt(0))
    sigma: float = attrs.field(default=0.35, converter=float, validator=ge(0))

    def draw(self, rng: Random) -> float:
        """See ``LatencyModel.draw``."""
        return rng.lognormvariate(math.log(self.median), self.sigma)


@attrs.frozen
class Mixture:
    """Several distributions at once, such as a fast and a slow queue.

    Attributes:
        parts: pairs of a weight above zero and a distribution.

    """

    parts: tuple[tuple[float, Constant | Uniform | LogNormal], ...]

    def draw(self, rng: Random) -> float:
        """See ``LatencyModel.draw``."""
        (part,) = rng.choices([part for _, part in self.parts], [weight for weight, _ in self.parts])
        return part.draw(rng)
