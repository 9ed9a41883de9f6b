"""What a model's entry in the catalogue is made of.

A place is a path in the request body: ``resolution``, ``metadata.resolution``. A word list holds what a user writes;
where the wire wants another word, the mapping beside it says which (``720P`` is ``std`` on some video models).
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal, TypeAlias

import attrs

ReferenceForm: TypeAlias = Literal[
    "string", "one string", "{url}", "{url, role}", "{image_url, type}", "{video_url}", "{video_url, refer_type}"
]
"""How a reference is written: bare addresses, a single one, or objects with an address and perhaps a role."""

ParameterKind: TypeAlias = Literal["enum", "integer", "number", "boolean", "text", "address", "object", "list", "span"]
"""What a control's value is; a ``span`` is a text of two times in seconds, such as ``1,3``."""


@attrs.frozen(kw_only=True)
class Parameter:
    """A control beyond size, resolution, references and n.

    Attributes:
        place: where it goes on the wire; ``list[].key`` is that key in each object of the list.
        kind: what its value is.
        name: a field of the request (``quality``, ``seed``, …), or the place itself for what goes through ``extra``.
        choices: the words of an ``enum``, or those that an ``object`` may be replaced by.
        words: what the wire calls them, or the two values of a ``boolean`` (``true`` and ``false``).
        low, high: inclusive bounds of a number, of the length of a text or list, or of a span's seconds; None where
            there is none.
        default: what the gateway takes without it, or None where it is not documented.
        note: one line, or empty.

    """

    place: str
    kind: ParameterKind
    name: str = attrs.field(default=attrs.Factory(lambda self: self.place, takes_self=True))
    choices: tuple[str, ...] = ()
    words: Mapping[str, str] = attrs.field(factory=dict)
    low: float | None = None
    high: float | None = None
    default: str | int | float | bool | None = None
    note: str = ""


@attrs.frozen(kw_only=True)
class PixelSizes:
    """Sizes given in pixels.

    Attributes:
        separator: between width and height on the wire.
        step: both sides are multiples of it.
        min_pixels, max_pixels: of the area; None where the vendor decides.
        max_ratio: long side over short side, or None.
        max_side: of the long side, or None.

    """

    separator: str = "x"
    step: int = 1
    min_pixels: int | None = None
    max_pixels: int | None = None
    max_ratio: float | None = None
    max_side: int | None = None


@attrs.frozen(kw_only=True)
class ReferencePlace:
    """Where one sort of reference goes.

    Attributes:
        place: on the wire.
        form: how each is written.
        max: how many, or None where it is not documented.
        roles: the roles that may be named; empty where there are none.
        words: roles that the wire calls otherwise.
        default_role: for a reference without one, or None.
        role_required: whether a reference without a role has no place here.
        role_max: how many of each role, where there is a bound; of a frame there is always one at most.

    """

    place: str
    form: ReferenceForm = "string"
    max: int | None = None
    roles: tuple[str, ...] = ()
    words: Mapping[str, str] = attrs.field(factory=dict)
    default_role: str | None = None
    role_required: bool = False
    role_max: Mapping[str, int] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Mode:
    """A way of working that the wire has a word for, which follows from what a request shows.

    Attributes:
        given: it holds when all of these fields are given.
        set: what is sent then, by place.

    """

    given: tuple[str, ...] = ()
    set: Mapping[str, str]


@attrs.frozen(kw_only=True)
class References:
    """What a model can be shown.

    Attributes:
        images: plain reference images; None where the model has no such field.
        image_roles: images with a role.
        mixed: whether ``images`` and ``image_roles`` may stand in one request.
        first_frame, last_frame: where the two frames go that are no roles; places that are one list are filled in this
            order. None where frames are roles or do not exist.
        videos, audios: reference clips.
        modes: the first that holds is sent.
        max_images: images and frames together; 0 when there are none, None where it is not documented.
        max_all: references of all sorts together, or None.
        required: whether there must be at least one reference of any sort.
        limits: what the pages say about formats and sizes, or empty.

    """

    images: ReferencePlace | None = None
    image_roles: ReferencePlace | None = None
    mixed: bool = False
    first_frame: ReferencePlace | None = None
    last_frame: ReferencePlace | None = None
    videos: ReferencePlace | None = None
    audios: ReferencePlace | None = None
    modes: tuple[Mode, ...] = ()
    max_images: int | None = None
    max_all: int | None = None
    required: bool = False
    limits: str = ""


@attrs.frozen(kw_only=True)
class Durations:
    """Seconds of video: some values, or whole seconds between two bounds.

    Attributes:
        values: the only ones; empty when bounds say it.
        low, high: inclusive bounds, None where not documented.
        automatic: values that let the model choose, such as 0 or -1.
        as_text: whether the wire wants a string.

    """

    values: tuple[int, ...] = ()
    low: int | None = None
    high: int | None = None
    automatic: tuple[int, ...] = ()
    as_text: bool = False


@attrs.frozen(kw_only=True)
class Together:
    """A rule about two fields. Names are those of the request; what has none goes by its place.

    A rule that demands nothing forbids its case.

    Attributes:
        when: it holds when each of these fields has one of these values; an empty tuple means any value.
        then: these fields must have one of these values; what is not given has the model's default.
        never: these fields must not have one of these values.
        most: so many references at the most, by field.
        needs: these must be given, by name.
        needs_any: one of these must be given, by name.
        without: these must not be given, by name.
        why: the sentence for the user.

    """

    when: Mapping[str, tuple[str | int | float | bool, ...]]
    then: Mapping[str, tuple[str | int | float | bool, ...]] = attrs.field(factory=dict)
    never: Mapping[str, tuple[str | int | float | bool, ...]] = attrs.field(factory=dict)
    most: Mapping[str, int] = attrs.field(factory=dict)
    needs: tuple[str, ...] = ()
    needs_any: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    why: str


@attrs.frozen(kw_only=True)
class Price:
    """USD, exact. Only what is known is filled in.

    Attributes:
        per_output: for each image or video.
        by_resolution: for each image or video, by resolution.
        by_resolution_and_quality: for each image, as measured; resolution, then quality.
        by_size_and_quality: for each image, as measured; size in pixels, then quality.
        per_reference: for each reference, on top; None where references of measured prices are not known.
        per_second: of video.
        per_second_by_resolution: of video, by resolution.
        per_second_silent_by_resolution: of video without sound, where that is another price; the one above is then
            for video with sound.
        per_million_tokens: settled after the task; what is measured says what it comes to.

    """

    per_output: Decimal | None = None
    by_resolution: Mapping[str, Decimal] = attrs.field(factory=dict)
    by_resolution_and_quality: Mapping[str, Mapping[str, Decimal]] = attrs.field(factory=dict)
    by_size_and_quality: Mapping[str, Mapping[str, Decimal]] = attrs.field(factory=dict)
    per_reference: Decimal | None = None
    per_second: Decimal | None = None
    per_second_by_resolution: Mapping[str, Decimal] = attrs.field(factory=dict)
    per_second_silent_by_resolution: Mapping[str, Decimal] = attrs.field(factory=dict)
    per_million_tokens: Mapping[str, Decimal] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Edits:
    """The edits endpoint, for models that have one.

    Attributes:
        form: the body's form.
        always: whether the model has no other endpoint.
        reference_place: the field of the reference addresses.

    """

    form: Literal["json", "multipart"]
    always: bool = False
    reference_place: str = "image_urls"
