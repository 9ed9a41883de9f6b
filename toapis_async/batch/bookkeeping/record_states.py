"""The words by which a session's records are asked for."""

from toapis_async.errors import InvalidRequestError
from toapis_async.values.records import ItemState


def states_of(word: str | None) -> tuple[ItemState, ...]:
    """Return the states that a word stands for; None stands for all, told by none.

    Raises:
        InvalidRequestError: it stands for none.

    """
    if word is None:
        return ()
    if word == "paid":
        return ItemState.FINISHED, ItemState.ACCEPTED
    try:
        return (ItemState(word),)
    except ValueError:
        known = ", ".join(repr(name) for name in ("paid", *map(str, ItemState)))
        raise InvalidRequestError.refused((f"state is {word!r}; it has to be one of {known}",)) from None
