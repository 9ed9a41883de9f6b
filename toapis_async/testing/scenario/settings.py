"""A scenario: everything the simulator is told, in one frozen value."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Literal, get_args

import attrs
from attrs.validators import in_

from toapis_async.testing.scenario.faults import Fault
from toapis_async.testing.scenario.latency import Constant, LatencyModel
from toapis_async.testing.scenario.misbehaviour import UrlForm, UrlPlace
from toapis_async.values.limits import TIERS, RateLimits


def _as_limits(value: RateLimits | str | None) -> RateLimits | None:
    return TIERS[value] if isinstance(value, str) else value


def _as_dict(value: Mapping[str, LatencyModel]) -> dict[str, LatencyModel]:
    return dict(value)


def _as_usd(value: Decimal | float | str) -> Decimal:
    # By way of the text, so that 0.12 is twelve cents and not nearly so.
    return Decimal(str(value))


def _frozen(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(values)


def _frozen_faults(values: Iterable[Fault]) -> tuple[Fault, ...]:
    return tuple(values)


@attrs.frozen(kw_only=True)
class RateHeaders:
    """How the ``X-RateLimit-*`` headers count; the documentation names them and no units.

    Attributes:
        limit: what ``-Limit`` and ``-Remaining`` count: the bucket (``burst``) or requests per minute.
        reset: whether ``-Reset`` is the epoch second or the seconds until the bucket is full.

    """

    limit: Literal["burst", "minute"] = "burst"
    reset: Literal["epoch", "seconds"] = "epoch"


@attrs.frozen(kw_only=True)
class Scenario:
    """What the simulated gateway is like. All times are in seconds of the simulator's clock.

    Attributes:
        name, summary: what the scenario is called and for.
        latency: how long tasks take.
        latencies: models of latency for single AI models, by model id.
        tier: the account's buckets: ``default``, ``vip``, ``svip``, ``RateLimits``, or None for no limit.
        rate_headers: how the rate headers count, or None to leave them out.
        retry_after: whether a 429 says how long to wait.
        max_unfinished: a submission over so many unfinished tasks gets a 429; None for no such limit.
        keeps_client_ids: whether ``client_business_id`` is echoed and found.
        lookup_lag: for so long after acceptance a lookup by ``client_business_id`` answers 404.
        balance_usd: what the account has; None for an unlimited key.
        price_usd: per image or video where the simulator knows no price of the model.
        billing: whether finished tasks say what they cost: at once, ``late`` (a minute after the end), or ``never``.
        words: what the status says before the end, in order; they share the task's time equally, except that the
            last has twice its share.
        created_word: what the answer to the submission says.
        url_place: where a completed task has its addresses.
        url_form: how they are written: ``absolute``, ``relative`` to the gateway, ``protocol_relative``, ``spaced``, or
            with the file in place of its address: ``data_uri`` and ``b64_json``.
        created_form: what the answer to a submission holds: the ``documented`` task, the ``task_id_only``, the task in
            its ``current`` state, finished or not, or ``synchronous`` results without any id.
        video_envelope: ``live`` answers video submissions as the running service was seen to.
        link_life: how long result files can be fetched.
        files: ``drawn`` pictures of the asked size (needs the extra ``sim``), or ``small`` ones for load tests.
        small_bytes: about how long the small ones are.
        image_format: of pictures whose request does not say; None goes by the model.
        video_folder: the path under which videos lie; some lie under ``/images``.
        ranges: whether the file host honours Range.
        unrouted_models: listed ids that answer 503 ``model_not_found`` all the same.
        extra_models: ids that it routes beside the listed ones; any other answers 503 ``model_not_found``.
        faults: what goes wrong, in order; the first that ends a call wins.

    """

    name: str = "custom"
    summary: str = ""
    latency: LatencyModel = attrs.field(factory=lambda: Constant(1.0))
    latencies: Mapping[str, LatencyModel] = attrs.field(factory=dict, converter=_as_dict)
    tier: RateLimits | None = attrs.field(default=None, converter=_as_limits)
    rate_headers: RateHeaders | None = RateHeaders()
    retry_after: bool = True
    max_unfinished: int | None = None
    keeps_client_ids: bool = True
    lookup_lag: float = 0.0
    balance_usd: Decimal | None = attrs.field(default=Decimal(1_000_000), converter=attrs.converters.optional(_as_usd))
    price_usd: Decimal = attrs.field(default=Decimal("0.012"), converter=_as_usd)
    billing: Literal["settled", "late", "never"] = "settled"
    words: tuple[str, ...] = attrs.field(default=("pending", "queued", "in_progress"), converter=_frozen)
    created_word: str = "pending"
    url_place: UrlPlace = "result"
    url_form: UrlForm = attrs.field(default="absolute", validator=in_(get_args(UrlForm)))
    created_form: Literal["documented", "task_id_only", "current", "synchronous"] = "documented"
    video_envelope: Literal["documented", "live"] = "documented"
    link_life: float = 86_400.0
    files: Literal["drawn", "small"] = "drawn"
    small_bytes: int = 2048
    image_format: Literal["png", "jpeg", "webp", "svg"] | None = None
    video_folder: Literal["/videos", "/images"] = "/videos"
    ranges: bool = True
    unrouted_models: tuple[str, ...] = attrs.field(default=(), converter=_frozen)
    extra_models: tuple[str, ...] = attrs.field(default=(), converter=_frozen)
    faults: tuple[Fault, ...] = attrs.field(default=(), converter=_frozen_faults)

    def latency_of(self, model: str) -> LatencyModel:
        """How long tasks of one AI model take."""
        return self.latencies.get(model, self.latency)
