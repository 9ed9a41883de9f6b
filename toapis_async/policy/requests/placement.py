"""Where each image of a request goes, and as what: validation counts by it, and the wire writes it."""

from collections.abc import Iterator, Sequence

import attrs

from toapis_async.policy.requests.spelling import wire_word
from toapis_async.values.requests import GenerationRequest, Reference, RoleReference
from toapis_async.values.rules import ReferencePlace, References

FRAMES = ("first_frame", "last_frame")
CLIPS = ("reference_videos", "reference_audios")


@attrs.frozen(kw_only=True)
class PlacedImage:
    """One image and its place.

    Attributes:
        field: how the user gave it: ``first_frame``, ``reference_images[2]``.
        source: an address, a path or bytes.
        role: ``first_frame`` or ``last_frame``, another role as it was given, or None.
        place: where it goes; None when the model has no place for it.

    """

    field: str
    source: Reference
    role: str | None
    place: ReferencePlace | None

    @property
    def part(self) -> str:
        """The field of the request that it counts as, however it was given."""
        return self.role if self.role in FRAMES else "reference_images"


def placed_images(request: GenerationRequest, rules: References) -> tuple[PlacedImage, ...]:
    """Return every image, frames with a place of their own first: one list may hold both, and its order tells them.

    A ``RoleReference`` with a frame's role is that frame. All others keep the order in which they were given, since
    prompts count on it.
    """
    given = list(_given_images(request, rules))
    if not given:
        return ()
    with_roles = rules.images is None or any(role is not None and not _own(role, rules) for _, _, role in given)
    found = [
        PlacedImage(field=field, source=source, role=role, place=_place(role, rules, with_roles=with_roles))
        for field, source, role in given
    ]
    return tuple(sorted(found, key=lambda one: FRAMES.index(str(one.role)) if _own(one.role, rules) else len(FRAMES)))


def parts_given(request: GenerationRequest, rules: References) -> dict[str, int]:
    """Count what a request shows: frames, reference images, clips; what is not there is not in it."""
    counts: dict[str, int] = {}
    for image in placed_images(request, rules):
        counts[image.part] = counts.get(image.part, 0) + 1
    for field in CLIPS:
        if clips := getattr(request, field, ()):
            counts[field] = len(clips)
    return counts


def _given_images(request: GenerationRequest, rules: References) -> Iterator[tuple[str, Reference, str | None]]:
    for role in FRAMES:
        if (source := getattr(request, role, None)) is not None:
            yield role, source, role
    references: Sequence[Reference | RoleReference] = getattr(request, "reference_images", ())
    for number, reference in enumerate(references):
        field = f"reference_images[{number}]"
        if isinstance(reference, RoleReference):
            yield field, reference.source, _frame(reference.role, rules) or reference.role
        else:
            yield field, reference, None


def _frame(role: str, rules: References) -> str | None:
    words = {frame: frame for frame in FRAMES} | dict(rules.image_roles.words if rules.image_roles else {})
    return next((frame for frame in FRAMES if role.casefold() in {frame, words[frame].casefold()}), None)


def _own(role: str | None, rules: References) -> ReferencePlace | None:
    return {"first_frame": rules.first_frame, "last_frame": rules.last_frame}.get(role or "")


def _place(role: str | None, rules: References, *, with_roles: bool) -> ReferencePlace | None:
    roles = rules.image_roles
    if role is None:
        if rules.images is not None and (roles is None or rules.mixed or not with_roles):
            return rules.images
        return None if roles is None or roles.role_required else roles
    if own := _own(role, rules):
        return own
    if roles is None or (role in FRAMES and wire_word(role, roles.roles, roles.words) is None):
        return None
    return roles
