"""What a request gives, by the names that a model's rules use: in a field, as a reference's role, or in ``extra``."""

from collections.abc import Iterator, Mapping

import attrs

from toapis_async.policy.requests.placement import CLIPS, FRAMES, placed_images
from toapis_async.policy.requests.spelling import wire_word
from toapis_async.values.catalogue import Model
from toapis_async.values.requests import GenerationRequest, Reference

_IMAGES = frozenset({*FRAMES, "reference_images"})
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


@attrs.define(eq=False)
class Given:
    """What one request gives; where its images go is worked out once, however many rules ask.

    Attributes:
        request: any request.
        model: says where the wire has what is not a field.

    """

    request: GenerationRequest
    model: Model
    _images: dict[str, list[Reference]] | None = attrs.field(init=False, default=None)

    def value(self, name: str) -> object:
        """Return what is given under a name, or None; of references all of them."""
        if name in _IMAGES:
            if images := self._images_by_part().get(name):
                return images
        elif (value := getattr(self.request, name, None)) is not None and value != ():
            return value
        if self.request.extra:
            for place in places(name, self.model):
                if (found := at(self.request.extra, place)) is not ABSENT:
                    return found
        return None

    def or_default(self, name: str) -> object:
        """Return what holds for a name: what is given, else the model's default, else None."""
        value = self.value(name)
        if value is not None or name in self.model.defaults:
            return self.model.defaults[name] if value is None else value
        parameter = self.model.parameter(name)
        return parameter.default if parameter is not None else None

    def _images_by_part(self) -> dict[str, list[Reference]]:
        if self._images is None:
            self._images = {}
            for one in placed_images(self.request, self.model.references):
                self._images.setdefault(one.part, []).append(one.source)
        return self._images


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
