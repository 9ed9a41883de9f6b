"""References against what a model can be shown."""

from collections.abc import Iterator

from toapis_async.policy.requests.controls import ABSENT, at
from toapis_async.policy.requests.references import wrong_reference
from toapis_async.policy.requests.spelling import did_you_mean, wire_word
from toapis_async.values.catalogue import Model
from toapis_async.values.requests import GenerationRequest, ImageRequest, Reference, RoleReference, VideoRequest
from toapis_async.values.rules import ReferencePlace, References

MAX_REFERENCE_IMAGES = 14
"""For image models whose page names no number (market page)."""


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
    """Tell when there are more reference images than the model takes."""
    given = len(request.reference_images)
    rules = model.references if model is not None else References()
    bounds: list[tuple[int, int | None]]
    if isinstance(request, ImageRequest):
        most = model.max_references if model is not None else None
        bounds = [(given, MAX_REFERENCE_IMAGES if most is None else most)]
    else:
        sharing = [place for place in _frame_places(request, rules) if rules.images and place == rules.images.place]
        in_place = rules.images.max if rules.images is not None else None
        frames = (request.first_frame is not None) + (request.last_frame is not None)
        bounds = [(given + len(sharing), in_place), (given + frames, rules.max_images)]
    for count, most in bounds:
        if most is not None and count > most:
            owner = model.id if model is not None else "the gateway"
            yield f"reference_images: {count} given, but {owner} takes {f'at most {most}' if most else 'none'}"
            return


def not_shown(request: GenerationRequest, model: Model) -> Iterator[str]:
    """Tell which references this model has no place for."""
    rules = model.references
    if isinstance(request, ImageRequest):
        if rules.required and not request.reference_images and not _shown_through_extra(request, model):
            yield f"reference_images is empty, but {model.id} works on an image; give at least one"
        return
    anything = (
        request.reference_images
        or request.reference_videos
        or request.reference_audios
        or request.first_frame
        or request.last_frame
    )
    if rules.required and not anything and not _shown_through_extra(request, model):
        yield f"reference_images is empty, but {model.id} cannot work from the prompt alone; give a reference"
    if not model.complete:
        return
    if request.reference_images and rules.images is None and rules.image_roles is None:
        yield f"reference_images: {model.id} takes none"
    yield from _wrong_clips(request.reference_videos, rules.videos, "reference_videos", model)
    yield from _wrong_clips(request.reference_audios, rules.audios, "reference_audios", model)
    yield from _wrong_frames(request, model)
    yield from _wrong_roles(request.reference_images, rules.image_roles, "reference_images", model)


def _frame_places(request: VideoRequest, rules: References) -> Iterator[str | None]:
    """Tell which place each given frame goes to; None for a role beside the plain images."""
    for frame, own in ((request.first_frame, rules.first_frame), (request.last_frame, rules.last_frame)):
        if frame is not None:
            shared = rules.images.place if rules.images is not None and rules.frames_in_images else None
            yield own.place if own is not None else shared


def _shown_through_extra(request: GenerationRequest, model: Model) -> bool:
    places = [place.place for place in (model.references.images, model.references.videos) if place is not None]
    places += [one.place for one in model.parameters if one.kind in {"address", "list", "object"}]
    return any(at(request.extra, place) is not ABSENT for place in places)


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
    yield from _wrong_roles(clips, place, field, model)


def _wrong_frames(request: VideoRequest, model: Model) -> Iterator[str]:
    rules = model.references
    for field, place in (("first_frame", rules.first_frame), ("last_frame", rules.last_frame)):
        if getattr(request, field) is None or place is not None:
            continue
        one_only = field == "last_frame" and rules.images is not None and rules.images.max == 1
        if rules.frames_in_images and not one_only:
            continue
        if rules.image_roles is not None and field in rules.image_roles.roles:
            continue
        instead = " (give it as a reference image)" if rules.images is not None else ""
        yield f"{field} is set, but {model.id} has no {field.replace('_', ' ')}{instead}"


def _wrong_roles(
    references: tuple[Reference | RoleReference, ...], place: ReferencePlace | None, field: str, model: Model
) -> Iterator[str]:
    for number, reference in enumerate(references):
        if not isinstance(reference, RoleReference):
            continue
        roles = place.roles if place is not None else ()
        if not roles:
            yield f"{field}[{number}] has the role {reference.role!r}, but {model.id} knows no roles here"
        elif wire_word(reference.role, roles, place.words if place else {}) is None:
            meant = did_you_mean(reference.role, roles)
            yield f"{field}[{number}] has the role {reference.role!r}; {model.id} knows {', '.join(roles)}{meant}"


def _named(request: GenerationRequest) -> Iterator[tuple[str, Reference | RoleReference]]:
    lists = ["reference_images"]
    singles = ["mask"]
    if isinstance(request, VideoRequest):
        lists += ["reference_videos", "reference_audios"]
        singles = ["first_frame", "last_frame"]
    for field in lists:
        for number, reference in enumerate(getattr(request, field)):
            yield f"{field}[{number}]", reference
    for field in singles:
        reference = getattr(request, field)
        if reference is not None:
            yield field, reference
