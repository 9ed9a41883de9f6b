"""What a request will cost, as far as it can be known before."""

from collections.abc import Mapping
from decimal import Decimal

from toapis_async.policy.requests.spelling import wire_word
from toapis_async.values.catalogue import Catalogue, Model
from toapis_async.values.requests import GenerationRequest, ImageRequest, VideoRequest
from toapis_async.values.rules import Price


def estimate(request: GenerationRequest, catalogue: Catalogue) -> Decimal | None:
    """Return the price of the whole request in USD, or None when it is not known. Unknown is never zero.

    What ``extra`` puts in place of a field of the request is not seen through: the price is then unknown.
    """
    model = catalogue.find(request.model)
    if model is None or model.price is None or _overridden(request, model):
        return None
    if isinstance(request, ImageRequest):
        each = _image(request, model, model.price)
        return None if each is None else each * request.n
    return _video(request, model, model.price)


def _overridden(request: GenerationRequest, model: Model) -> bool:
    places = {"n", "duration", "mode", model.size_place, model.resolution_place.rpartition(".")[2]}
    extra = request.extra
    metadata = extra.get("metadata")
    return not places.isdisjoint(extra) or (isinstance(metadata, Mapping) and not places.isdisjoint(metadata))


def _image(request: ImageRequest, model: Model, price: Price) -> Decimal | None:
    each = price.per_output
    if each is None and price.by_resolution:
        each = _by_resolution(request.resolution, model, price.by_resolution)
    if each is None and price.by_size_and_quality and not request.reference_images:
        size = request.size or str(model.defaults.get("size"))
        parameter = model.parameter("quality")
        quality = request.quality or str(parameter.default if parameter else None)
        each = price.by_size_and_quality.get(size.lower(), {}).get(quality.lower())
    if each is None:
        return None
    return each + (price.per_reference or 0) * len(request.reference_images)


def _video(request: VideoRequest, model: Model, price: Price) -> Decimal | None:
    if price.silent_only and request.audio is not False:
        return None
    per_second = price.per_second
    if per_second is None and price.per_second_by_resolution:
        per_second = _by_resolution(request.resolution, model, price.per_second_by_resolution)
    seconds = request.duration if request.duration is not None else model.defaults.get("duration")
    if per_second is None:
        return price.per_output
    if not isinstance(seconds, (int, float)) or seconds <= 0:
        return None
    return per_second * Decimal(str(seconds))


def _by_resolution(resolution: str | None, model: Model, prices: Mapping[str, Decimal]) -> Decimal | None:
    wanted = resolution or model.defaults.get("resolution")
    if not isinstance(wanted, str):
        return None
    word = wire_word(wanted, tuple(prices))
    return prices[word] if word is not None else None
