"""What the user wants made. The names are those of the gateway's market page; the catalogue maps them."""

import os
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias, cast

import attrs

DEFAULT_IMAGE_MODEL = "gemini-2.5-flash-image-preview"

Reference: TypeAlias = str | os.PathLike[str] | bytes
"""An ``https://`` address, the path of a local file, or the bytes of one. Files are uploaded."""


def as_tuple(value: object) -> object:
    """Freeze a sequence for a frozen value; what is none, or is text, is left for validation to judge."""
    text = isinstance(value, str | bytes | bytearray | memoryview)
    return tuple(value) if isinstance(value, Sequence) and not text else value


# Type checkers take a parameter's type from its converter, and mypy none that is generic.


def _as_references(value: Sequence[Reference]) -> tuple[Reference, ...]:
    return cast("tuple[Reference, ...]", as_tuple(value))


def _as_references_with_roles(value: "Sequence[Reference | RoleReference]") -> "tuple[Reference | RoleReference, ...]":
    return cast("tuple[Reference | RoleReference, ...]", as_tuple(value))


def as_frozen_mapping(value: Mapping[str, object]) -> Mapping[str, object]:
    """Copy a mapping so that the caller's later changes do not reach the value; what is none is left as it is."""
    copied: object = value
    return dict(copied) if isinstance(copied, Mapping) else value


@attrs.frozen
class ImageRequest:
    """One image, or ``n`` of them, to be made.

    Nothing is checked here; before it is sent, it is checked against the catalogue.

    Attributes:
        prompt: what to draw.
        model: a model's exact id or alias.
        size: a ratio such as ``16:9``, or pixels such as ``1024x1024`` where the model takes them; None is the
            model's default.
        resolution: ``1K``, ``2K``, ``4K`` by what the model can do; None is the model's default.
        reference_images: what to take style, subject or brand from; at most 14, fewer on some models.
        n: how many images in one task.
        mask: where to repaint (transparent pixels), for models that edit.
        quality, background, output_format, output_compression, temperature, top_p, seed: controls of the
            models that have them; None leaves them out.
        edit: send it to the model's edits endpoint, where it has one; needs a reference image.
        id: your own name for the item, unique within a run; it names the files. None: made from the request.
        client_business_id: your own reference, at most 96 characters; sent as it is on the first attempt.
        callback_url: where the gateway shall send its webhook.
        extra: further fields for the gateway, laid over the encoded body as they are; ``metadata`` is merged.
        context: your own object, carried to every event and outcome; never sent, compared, hashed or written.
        label: whose it is, such as a tenant; money is counted by it. Not sent.
        namespace: keeps equal requests of different users apart: in another namespace the same wish is another
            item, after a restart too. None is a namespace of its own. Not sent.
        priority: 0 goes before what waits with 1; None is 0 for a single call and 1 in a session. Not sent.

    """

    prompt: str
    model: str = attrs.field(default=DEFAULT_IMAGE_MODEL, kw_only=True)
    size: str | None = attrs.field(default=None, kw_only=True)
    resolution: str | None = attrs.field(default=None, kw_only=True)
    reference_images: tuple[Reference, ...] = attrs.field(default=(), kw_only=True, converter=_as_references)
    n: int = attrs.field(default=1, kw_only=True)
    mask: Reference | None = attrs.field(default=None, kw_only=True)
    quality: str | None = attrs.field(default=None, kw_only=True)
    background: str | None = attrs.field(default=None, kw_only=True)
    output_format: str | None = attrs.field(default=None, kw_only=True)
    output_compression: int | None = attrs.field(default=None, kw_only=True)
    temperature: float | None = attrs.field(default=None, kw_only=True)
    top_p: float | None = attrs.field(default=None, kw_only=True)
    seed: int | None = attrs.field(default=None, kw_only=True)
    edit: bool = attrs.field(default=False, kw_only=True)
    id: str | None = attrs.field(default=None, kw_only=True)
    client_business_id: str | None = attrs.field(default=None, kw_only=True)
    callback_url: str | None = attrs.field(default=None, kw_only=True)
    extra: Mapping[str, object] = attrs.field(factory=dict, kw_only=True, converter=as_frozen_mapping)
    context: object = attrs.field(default=None, kw_only=True, eq=False, repr=False)
    label: str | None = attrs.field(default=None, kw_only=True)
    namespace: str | None = attrs.field(default=None, kw_only=True)
    priority: int | None = attrs.field(default=None, kw_only=True)


@attrs.frozen(kw_only=True)
class RoleReference:
    """A reference with the part it plays.

    Attributes:
        source: an address, a path or bytes.
        role: ``first_frame``, ``last_frame``, ``reference`` or another word of the model.

    """

    source: Reference
    role: str


@attrs.frozen
class VideoRequest:
    """One video to be made; the same words as ``ImageRequest``, and the moving ones.

    Attributes:
        prompt: what happens.
        model: a model's exact id or alias; videos have no default model.
        size: the ratio (``16:9``), wherever the model wants it.
        resolution: ``720p``, ``1080p``, … by what the model can do.
        duration: seconds.
        reference_images, reference_videos, reference_audios: plain references, or ``RoleReference``.
        first_frame, last_frame: the frames to begin and end with.
        audio: whether to make sound, for models that can choose.
        keep_original_sound: whether the reference videos keep their sound, for models that can choose.
        seed, id, client_business_id, callback_url, extra, context, label, namespace, priority: as in ``ImageRequest``.

    """

    prompt: str
    model: str = attrs.field(kw_only=True)
    size: str | None = attrs.field(default=None, kw_only=True)
    resolution: str | None = attrs.field(default=None, kw_only=True)
    duration: float | None = attrs.field(default=None, kw_only=True)
    reference_images: tuple[Reference | RoleReference, ...] = attrs.field(
        default=(), kw_only=True, converter=_as_references_with_roles
    )
    reference_videos: tuple[Reference | RoleReference, ...] = attrs.field(
        default=(), kw_only=True, converter=_as_references_with_roles
    )
    reference_audios: tuple[Reference | RoleReference, ...] = attrs.field(
        default=(), kw_only=True, converter=_as_references_with_roles
    )
    first_frame: Reference | None = attrs.field(default=None, kw_only=True)
    last_frame: Reference | None = attrs.field(default=None, kw_only=True)
    audio: bool | None = attrs.field(default=None, kw_only=True)
    keep_original_sound: bool | None = attrs.field(default=None, kw_only=True)
    seed: int | None = attrs.field(default=None, kw_only=True)
    id: str | None = attrs.field(default=None, kw_only=True)
    client_business_id: str | None = attrs.field(default=None, kw_only=True)
    callback_url: str | None = attrs.field(default=None, kw_only=True)
    extra: Mapping[str, object] = attrs.field(factory=dict, kw_only=True, converter=as_frozen_mapping)
    context: object = attrs.field(default=None, kw_only=True, eq=False, repr=False)
    label: str | None = attrs.field(default=None, kw_only=True)
    namespace: str | None = attrs.field(default=None, kw_only=True)
    priority: int | None = attrs.field(default=None, kw_only=True)


GenerationRequest: TypeAlias = ImageRequest | VideoRequest

Kind: TypeAlias = Literal["image", "video"]
"""What a task makes; ``values.kinds`` has a row for each."""


def missing_files(request: GenerationRequest, files: int) -> int:
    """Return how many files of a finished request did not come: ``n`` images are asked for, or one video."""
    asked: int = getattr(request, "n", 1)
    return max(0, asked - files)
