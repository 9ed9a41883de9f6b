"""What a request gives, by the names that a model's rules use: in a field, as a reference's role, or in ``extra``."""

from collections.abc import Iterator, Mapping

from toapis_async.policy.requests.placement import CLIPS, FRAMES, placed_images
from toapis_async.policy.requests.spelling import wire_word
from toapis_async.values.catalogue import Model
from toapis_async.values.requests import GenerationRequest

ABSENT = object()
"""What ``at()`` returns where nothing is; None is a value."""


def at(extra: Mapping[str, object], place: str) -> object:
    """Return what ``extra`` puts at a place, or ``ABSENT``."""
    value: object = extra
    for key in place.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return ABSENT
        value = value[key]
    return value


def given(request: GenerationRequest, name: str, model: Model) -> object:
    """Return what a request gives under a name, or None; of references the tuple of them."""
    if name in (*FRAMES, "reference_images"):
        images = tuple(one.source for one in placed_images(request, model.references) if one.part == name)
        if images:
            return images
    elif (value := getattr(request, name, None)) is not None and value != ():
        return value
    for place in places(name, model):
        if (found := at(request.extra, place)) is not ABSENT:
            return found
    return None


def given_or_default(request: GenerationRequest, name: str, model: Model) -> object:
    """Return what holds for a name: what is given, else the model's default, else None."""
    value = given(request, name, model)
    if value is not None or name in model.defaults:
        return model.defaults[name] if value is None else value
    parameter = model.parameter(name)
    return parameter.default if parameter is not None else None


def is_among(value: object, allowed: tuple[object, ...], name: str, model: Model) -> bool:
    """Whether a value is one of those that a rule names, in the user's word or in that of the wire."""
    if isinstance(value, str):
        return _folded(value, name, model) in {_folded(one, name, model) for one in allowed if isinstance(one, str)}
    return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in allowed)


def places(name: str, model: Model) -> Iterator[str]:
    """Tell where the wire has what the rules call by this name."""
    rules = model.references
    if name in {"size", "resolution"}:
        yield model.size_place if name == "size" else model.resolution_place
    elif name in (*FRAMES, "reference_images", *CLIPS):
        own = {
            "first_frame": rules.first_frame,
            "last_frame": rules.last_frame,
            "reference_images": rules.images,
            "reference_videos": rules.videos,
            "reference_audios": rules.audios,
        }[name]
        if own is not None:
            yield own.place
    else:
        parameter = model.parameter(name)
        yield name if parameter is None else parameter.place


def _folded(word: str, name: str, model: Model) -> str:
    if name == "resolution":
        word = wire_word(word, model.resolutions or (), model.resolution_words) or word
    return word.casefold()
