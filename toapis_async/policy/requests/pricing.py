"""What a request will cost, as far as it can be known before."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar

from toapis_async.policy.requests.given import Given
from toapis_async.policy.requests.sizes import pixels_of
from toapis_async.policy.requests.spelling import wire_word
from toapis_async.values.catalogue import Catalogue, Model
from toapis_async.values.requests import GenerationRequest
from toapis_async.values.rules import Price

T = TypeVar("T")


def estimate(request: GenerationRequest, catalogue: Catalogue) -> Decimal | None:
    """Return the price of the whole request in USD, or None when it is not known. Unknown is never zero.

    Models that are billed by tokens have the prices that were measured; between two measured sizes it is the price of
    the larger. What ``extra`` puts in place of a field of the request is not seen through: the price is then unknown.
    """
    model = catalogue.find(request.model)
    if model is None or model.price is None or _overridden(request, model):
        return None
    given = Given(request, model)
    each = _by_seconds(given, model.price) or _each(given, model.price)
    return None if each is None else each * getattr(request, "n", 1)


def _overridden(request: GenerationRequest, model: Model) -> bool:
    places = {"n", "duration", "mode", "quality", model.size_place, model.resolution_place.rpartition(".")[2]}
    extra = request.extra
    metadata = extra.get("metadata")
    return not places.isdisjoint(extra) or (isinstance(metadata, Mapping) and not places.isdisjoint(metadata))


def _each(given: Given, price: Price) -> Decimal | None:
    each = price.per_output
    references = getattr(given.request, "reference_images", ())
    if each is None and price.by_resolution:
        each = _of(given.or_default("resolution"), price.by_resolution)
    if each is None and price.by_resolution_and_quality:
        each = _of(
            given.or_default("quality"), _of(given.or_default("resolution"), price.by_resolution_and_quality) or {}
        )
    if each is None and price.by_size_and_quality:
        each = _measured(given, price.by_size_and_quality)
        if references and price.per_reference is None:
            return None
    if each is None:
        return None
    return each + (price.per_reference or 0) * len(references)


def _measured(given: Given, prices: Mapping[str, Mapping[str, Decimal]]) -> Decimal | None:
    wanted, quality = pixels_of(str(given.or_default("size"))), given.or_default("quality")
    if wanted is None:
        return None
    found = [(pixels_of(one) or 0, price) for one, row in prices.items() if (price := _of(quality, row)) is not None]
    return min((one for one in found if one[0] >= wanted), default=(0, None))[1]


def _by_seconds(given: Given, price: Price) -> Decimal | None:
    table = price.per_second_by_resolution
    if price.per_second_silent_by_resolution and given.or_default("audio") is False:
        table = price.per_second_silent_by_resolution
    per_second = price.per_second or (_of(given.or_default("resolution"), table) if table else None)
    if per_second is None:
        return None
    seconds = given.or_default("duration")
    if not isinstance(seconds, (int, float)) or seconds <= 0:
        return None
    return per_second * Decimal(str(seconds))


def _of(word: object, prices: Mapping[str, T]) -> T | None:
    known = wire_word(word, tuple(prices)) if isinstance(word, str) else None
    return prices[known] if known is not None else None
