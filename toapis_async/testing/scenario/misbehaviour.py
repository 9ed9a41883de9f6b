"""What can go wrong at one call, each thing a frozen value. Seconds are seconds of the simulator's clock."""

from typing import Literal, TypeAlias, get_args

import attrs
from attrs.validators import and_, ge, gt, in_, le, optional

from toapis_async.testing.scenario.webhook_faults import Repeat, StaleTimestamp, WrongSignature


@attrs.frozen(kw_only=True)
class Refuse:
    """Answer with a reply that the gateway is known to give.

    Attributes:
        reply: its name in ``gateway.refusals.REFUSALS``, such as ``rate_limited``, ``html_504``, ``plain_503``.
        after_acceptance: whether the task is made and charged all the same.
        retry_after: seconds for the ``Retry-After`` header; None leaves it out.

    """

    reply: str
    after_acceptance: bool = False
    retry_after: float | None = None


@attrs.frozen(kw_only=True)
class Reply:
    """Answer with anything else.

    Attributes:
        http_status: of the reply.
        body: its text.
        content_type: its type.
        headers: pairs of name and value.
        after_acceptance: whether the task is made and charged all the same.

    """

    http_status: int = attrs.field(validator=and_(ge(200), le(599)))
    body: str = ""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    after_acceptance: bool = False


@attrs.frozen(kw_only=True)
class Drop:
    """Cut the connection without a reply.

    Attributes:
        after_acceptance: whether the task is made and charged first: the lost reply.

    """

    after_acceptance: bool = False


@attrs.frozen(kw_only=True)
class Delay:
    """Answer late.

    Attributes:
        seconds: how much.
        after_acceptance: whether the task is made before the wait or after it.

    """

    seconds: float = attrs.field(validator=ge(0))
    after_acceptance: bool = False


@attrs.frozen(kw_only=True)
class InvalidJson:
    """Do everything and answer 200 with a body that is cut short.

    Attributes:
        after_acceptance: always True; the task is made.

    """

    after_acceptance: bool = attrs.field(default=True, init=False)


@attrs.frozen(kw_only=True)
class StatusWord:
    """Say this word instead of the true status while the task is not finished.

    Attributes:
        word: ``processing``, ``""`` or anything.

    """

    word: str


@attrs.frozen(kw_only=True)
class WithoutUrl:
    """Say ``completed`` without an address.

    Attributes:
        result: ``empty`` for an empty list, ``missing`` for no result at all.

    """

    result: Literal["empty", "missing"] = "empty"


UrlPlace: TypeAlias = Literal[
    "result", "top_level", "both", "video_url", "data", "output", "metadata", "strings", "result_url"
]
"""Where a completed task has its addresses; ``strings`` are bare texts in the documented list."""

UrlForm: TypeAlias = Literal["absolute", "relative", "protocol_relative", "spaced", "data_uri", "b64_json"]
"""How an address is written; the last two hold the file itself, always a small one."""


@attrs.frozen(kw_only=True)
class MoveUrl:
    """Put the addresses of a completed task elsewhere, or write them in another way.

    Attributes:
        place: ``result`` is the documented one.
        form: how they are written; None goes by the scenario.

    """

    place: UrlPlace = attrs.field(default="result", validator=in_(get_args(UrlPlace)))
    form: UrlForm | None = attrs.field(default=None, validator=optional(in_(get_args(UrlForm))))


@attrs.frozen(kw_only=True)
class Fail:
    """Accept the task, and give it up at its end.

    Attributes:
        code, message: the error of the task.
        refund: whether the charge is paid back; without, the task says that it is settled and counts tokens.
        word: the final status.
        form: where the reason stands: the documented ``error`` object, a plain text in ``error``, ``fail_reason``,
            or nowhere.
        progress: 0 as on most models, or 100, which comes with ``completed_at``.

    """

    code: str = "generation_failed"
    message: str = "call upstream API failed: upstream returned status 422"
    refund: bool = True
    word: str = "failed"
    form: Literal["object", "text", "fail_reason", "none"] = "object"
    progress: int = attrs.field(default=0, validator=and_(ge(0), le(100)))


@attrs.frozen(kw_only=True)
class Stall:
    """Make the task take longer.

    Attributes:
        seconds: how much; infinity never finishes.

    """

    seconds: float = attrs.field(validator=ge(0))


@attrs.frozen(kw_only=True)
class Truncate:
    """Send the head of a file and end the reply early.

    Attributes:
        fraction: of the bytes that are sent.
        declared: whether the full length was announced; without, only the content can tell.

    """

    fraction: float = attrs.field(default=0.5, validator=and_(ge(0), le(1)))
    declared: bool = True


@attrs.frozen(kw_only=True)
class Reset:
    """Send the head of a file and reset the connection.

    Attributes:
        fraction: of the bytes that are sent.

    """

    fraction: float = attrs.field(default=0.5, validator=and_(ge(0), le(1)))


@attrs.frozen(kw_only=True)
class HtmlFile:
    """Send an HTML page with status 200 in place of the file."""


@attrs.frozen(kw_only=True)
class WrongType:
    """Send the file under another content type.

    Attributes:
        content_type: the lie.

    """

    content_type: str = "application/octet-stream"


@attrs.frozen(kw_only=True)
class ForbiddenUntilLookup:
    """Answer 403 from now on until the task is looked up again.

    Attributes:
        fresh_url: whether the file then has another address, and the old one stays forbidden.

    """

    fresh_url: bool = False


@attrs.frozen(kw_only=True)
class SlowFile:
    """Send the file at a trickle.

    Attributes:
        bytes_per_second: how fast.

    """

    bytes_per_second: float = attrs.field(validator=gt(0))


Misbehaviour: TypeAlias = (
    Refuse | Reply | Drop | Delay | InvalidJson
    | StatusWord | WithoutUrl | MoveUrl
    | Fail | Stall
    | Truncate | Reset | HtmlFile | WrongType | ForbiddenUntilLookup | SlowFile
    | Repeat | WrongSignature | StaleTimestamp
)  # fmt: skip

KINDS: dict[str, type[Misbehaviour]] = {
    "refuse": Refuse,
    "reply": Reply,
    "drop": Drop,
    "delay": Delay,
    "invalid-json": InvalidJson,
    "status-word": StatusWord,
    "without-url": WithoutUrl,
    "move-url": MoveUrl,
    "fail": Fail,
    "stall": Stall,
    "truncate": Truncate,
    "reset": Reset,
    "html-file": HtmlFile,
    "wrong-type": WrongType,
    "forbidden-until-lookup": ForbiddenUntilLookup,
    "slow-file": SlowFile,
    "repeat": Repeat,
    "wrong-signature": WrongSignature,
    "stale-timestamp": StaleTimestamp,
}
"""The word for each in a scenario file."""
