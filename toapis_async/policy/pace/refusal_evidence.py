"""Whether refusals show a limit: a cumulative sum over replies (Page's CUSUM test, 1954).

Each refusal adds, each success subtracts, and below zero it does not fall: refusals that are scattered among successes
cancel out, and those of a limit add up, the faster the further above it we are.
"""

import attrs


@attrs.frozen(kw_only=True)
class Threshold:
    """How sure one wants to be before a limit is believed.

    Attributes:
        tolerated: share of refusals that shows nothing.
        height: the sum from which a limit is believed.

    """

    tolerated: float
    height: float


ANY_REFUSAL = Threshold(tolerated=0.0, height=1.0)


@attrs.define
class RefusalEvidence:
    """The sum since the last decision.

    Attributes:
        heard: replies counted.
        refused: refusals among them.
        rising: replies counted since the sum was last zero, and refusals among them.

    """

    heard: int = 0
    refused: int = 0
    rising: tuple[int, int] = (0, 0)
    _sum: float = 0.0
    _outstanding: int = 0

    def restart(self, outstanding: int) -> None:
        """Begin anew; the replies to so many requests that are out say nothing about what was decided now."""
        self.heard = self.refused = 0
        self.rising = 0, 0
        self._sum, self._outstanding = 0.0, outstanding

    def discount(self) -> None:
        """Let the reply to one more request say nothing: it was sent without knowledge of what was decided."""
        self._outstanding += 1

    def add(self, threshold: Threshold, *, refused: bool) -> bool:
        """Count a reply; tell whether the refusals show a limit."""
        if self._outstanding > 0:
            self._outstanding -= 1
            return False
        self.heard += 1
        self.refused += refused
        self._sum = max(0.0, self._sum + refused - threshold.tolerated)
        self.rising = (self.rising[0] + 1, self.rising[1] + refused) if self._sum else (0, 0)
        return refused and self._sum >= threshold.height

    @property
    def share(self) -> float:
        """Refused, of what was heard."""
        return self.refused / self.heard if self.heard else 0.0
