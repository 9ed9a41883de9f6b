"""Who goes next: interactive requests before bulk ones, and neither for ever."""

_MOST_IN_A_ROW = 3  # interactive requests while bulk ones wait

BULK_SHARE = 1.0 / (1 + _MOST_IN_A_ROW)
"""Of the tokens, which bulk requests keep beside any number of interactive ones."""


class TurnOrder:
    """Chooses between two waiting classes; each choice is taken to be acted on."""

    __slots__ = ("_in_a_row",)

    def __init__(self) -> None:
        self._in_a_row = 0

    def interactive_next(self, *, interactive: bool, bulk: bool) -> bool:
        """Tell whether the next turn is an interactive request's; the arguments say which classes wait."""
        if not bulk:
            self._in_a_row = 0
            return True
        if not interactive or self._in_a_row >= _MOST_IN_A_ROW:
            self._in_a_row = 0
            return False
        self._in_a_row += 1
        return True
