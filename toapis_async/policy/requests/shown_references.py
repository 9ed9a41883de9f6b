"""References against what a model can be shown."""

from collections import Counter
from collections.abc import Iterator

from toapis_async.policy.requests.given import ABSENT, at
from toapis_async.policy.requests.placement import CLIPS, FRAMES, PlacedImage, parts_given, placed_images
from toapis_async.policy.requests.references import wrong_reference
from toapis_async.policy.requests.spelling import did_you_mean, wire_word
from toapis_async.values.catalogue import Model
from toapis_async.values.kinds import kind_of
from toapis_async.values.requests import GenerationRequest, ImageRequest, Reference, RoleReference
from toapis_async.values.rules import ReferencePlace, References

MAX_REFERENCE_IMAGES = 14
"""For image models whose page names no number: what the gateway's market page says of all."""


def wrong_references(request: GenerationRequest, *, allow_local: bool) -> Iterator[str]:
    """Tell which references no model can be shown."""
    for field, reference in _named(request):
        source = reference.source if isinstance(reference, RoleReference) else reference
        wrong = wrong_reference(source, field, allow_local=allow_local)
        if wrong:
            yield wrong
        if isinstance(reference, RoleReference) and not reference.role.strip():
            yield f"{field} has an empty role; name one, or give the reference without a role"


def too_many_images(request: GenerationRequest, model: Model | None) -> Iterator[str]:
    """Tell when there are more reference images than the model takes, or a frame twice."""
    rules = model.references if model is not None else References()
    owner = model.id if model is not None else "the gateway"
    if isinstance(request, ImageRequest):
        most = model.max_references if model is not None else None
        yield from _over(len(request.reference_images), MAX_REFERENCE_IMAGES if most is None else most, owner)
        return
    images = placed_images(request, rules)
    roles = (one.role or (one.place.default_role if one.place is not None else None) for one in images)
    for role, count in Counter(role.casefold() for role in roles if role).items():
        most = 1 if role in FRAMES else None if rules.image_roles is None else rules.image_roles.role_max.get(role)
        if most is not None and count > most:
            yield f"{role}: {count} images given, but {owner} takes at most {most} of this role"
    found = [
        wrong
        for place in (rules.images, rules.image_roles)
        if place is not None
        for wrong in _over(sum(one.place is place for one in images), place.max, owner)
    ]
    yield from found or _over(len(images), rules.max_images, owner)
    if rules.max_all is not None and (total := sum(parts_given(request, rules).values())) > rules.max_all:
        yield f"{total} references of all sorts given, but {owner} takes at most {rules.max_all}"


def not_shown(request: GenerationRequest, model: Model) -> Iterator[str]:
    """Tell which references this model has no place for, and when one is missing."""
    rules = model.references
    if rules.required and not parts_given(request, rules) and not _shown_through_extra(request, model):
        ways = " or ".join(_ways_to_show(rules))
        what = "works on an image" if isinstance(request, ImageRequest) else "cannot work from the prompt alone"
        yield f"reference_images is empty, but {model.id} {what}; give {ways}"
    if isinstance(request, ImageRequest) or not model.complete:
        return
    yield from _wrong_images(placed_images(request, rules), model)
    for field, place in zip(CLIPS, (rules.videos, rules.audios), strict=True):
        yield from _wrong_clips(getattr(request, field, ()), place, field, model)


def _over(count: int, most: int | None, owner: str) -> Iterator[str]:
    if most is not None and count > most:
        yield f"reference_images: {count} given, but {owner} takes {f'at most {most}' if most else 'none'}"


def _ways_to_show(rules: References) -> Iterator[str]:
    if rules.images is not None or (rules.image_roles is not None and not rules.image_roles.role_required):
        yield "reference_images"
    if rules.first_frame is not None:
        yield "first_frame"
    if rules.videos is not None:
        yield "reference_videos"


def _shown_through_extra(request: GenerationRequest, model: Model) -> bool:
    places = [place.place for place in (model.references.images, model.references.videos) if place is not None]
    places += [one.place for one in model.parameters if one.kind in {"address", "list", "object"}]
    return any(at(request.extra, place) is not ABSENT for place in places)


def _wrong_images(images: tuple[PlacedImage, ...], model: Model) -> Iterator[str]:
    rules = model.references
    for image in images:
        if image.role is None and image.place is None:
            first = rules.first_frame or rules.image_roles
            instead = "; what it begins with is first_frame" if first is not None else ""
            yield f"reference_images: {model.id} takes none{instead}"
            return
        if image.role in FRAMES:
            if image.place is None:
                instead = " (give it as a reference image)" if rules.images is not None else ""
                yield f"{image.field} is set, but {model.id} has no {image.part.replace('_', ' ')}{instead}"
        elif image.role is not None:
            yield from _wrong_role(image.role, rules.image_roles, image.field, model)


def _wrong_clips(
    clips: tuple[Reference | RoleReference, ...], place: ReferencePlace | None, field: str, model: Model
) -> Iterator[str]:
    if not clips:
        return
    if place is None:
        yield f"{field}: {len(clips)} given, but {model.id} takes none"
        return
    if place.max is not None and len(clips) > place.max:
        yield f"{field}: {len(clips)} given, but {model.id} takes at most {place.max}"
    for number, clip in enumerate(clips):
        if isinstance(clip, RoleReference):
            yield from _wrong_role(clip.role, place, f"{field}[{number}]", model)


def _wrong_role(role: str, place: ReferencePlace | None, field: str, model: Model) -> Iterator[str]:
    roles = place.roles if place is not None else ()
    if not roles:
        yield f"{field} has the role {role!r}, but {model.id} knows no roles here"
    elif wire_word(role, roles, place.words if place else {}) is None:
        yield f"{field} has the role {role!r}; {model.id} knows {', '.join(roles)}{did_you_mean(role, roles)}"


def _named(request: GenerationRequest) -> Iterator[tuple[str, Reference | RoleReference]]:
    for field, form in kind_of(request).forms.items():
        if form == "references":
            for number, reference in enumerate(getattr(request, field)):
                yield f"{field}[{number}]", reference
        elif form == "reference" and (reference := getattr(request, field)) is not None:
            yield field, reference
