"""Which calls misbehave, and how often."""

from typing import Literal, TypeAlias, get_args

import attrs
from attrs.validators import and_, ge, gt, in_, le, optional

from toapis_async.errors import ConfigurationError
from toapis_async.testing.scenario import misbehaviour as may
from toapis_async.testing.scenario.webhook_faults import Repeat, StaleTimestamp, WrongSignature

Where: TypeAlias = Literal["submit", "task", "query", "lookup", "file", "upload", "balance", "models", "webhook"]
"""``query`` asks by task id and ``lookup`` by client_business_id; ``task`` is the fate of an accepted task, ``webhook``
the event that tells of its end."""

_EVERYWHERE = (may.Refuse, may.Reply, may.Drop, may.Delay, may.InvalidJson)
_SHAPES = (may.StatusWord, may.WithoutUrl, may.MoveUrl)
_FATES = (may.Fail, may.Stall)
_OF_WEBHOOKS = (may.Drop, may.Delay, may.InvalidJson, Repeat, WrongSignature, StaleTimestamp)
_OF_FILES = (may.Truncate, may.Reset, may.HtmlFile, may.WrongType, may.ForbiddenUntilLookup, may.SlowFile)


def _as_numbers(value: int | tuple[int, ...] | list[int]) -> tuple[int, ...]:
    return (value,) if isinstance(value, int) else tuple(value)


@attrs.frozen(kw_only=True)
class Fault:
    """One thing that goes wrong at some calls. Without any selector it strikes at every call.

    Attributes:
        where: which calls.
        what: what happens.
        probability: 0 to 1; decided by the scenario's seed, the prompt and the number of the call for that prompt,
            so that it does not depend on the order in which concurrent calls arrive.
        nth: the numbers of the calls that it strikes, from 1.
        every: each so many-th call.
        first: so many calls from the start.
        per: whether ``nth``, ``every`` and ``first`` count all such calls, or those of each prompt apart.
        match: only calls about a prompt that contains this text.

    Raises:
        ConfigurationError: what happens cannot happen there.

    """

    where: Where = attrs.field(validator=in_(get_args(Where)))
    what: may.Misbehaviour
    probability: float | None = attrs.field(default=None, validator=optional(and_(ge(0), le(1))))
    nth: tuple[int, ...] = attrs.field(default=(), converter=_as_numbers)
    every: int | None = attrs.field(default=None, validator=optional(gt(0)))
    first: int | None = attrs.field(default=None, validator=optional(ge(0)))
    per: Literal["call", "prompt"] = attrs.field(default="call", validator=in_(("call", "prompt")))
    match: str = ""

    def __attrs_post_init__(self) -> None:
        """Refuse what cannot happen there."""
        possible = _possible(self.where)
        if not isinstance(self.what, possible):
            raise ConfigurationError(
                f"{type(self.what).__name__} cannot happen at {self.where!r}",
                hint="there it can be " + ", ".join(kind.__name__ for kind in possible),
            )


def _possible(where: Where) -> tuple[type[may.Misbehaviour], ...]:
    if where == "task":
        return _FATES
    if where == "webhook":
        return _OF_WEBHOOKS
    if where in {"query", "lookup"}:
        return _EVERYWHERE + _SHAPES
    if where == "file":
        return _EVERYWHERE + _OF_FILES
    return _EVERYWHERE
