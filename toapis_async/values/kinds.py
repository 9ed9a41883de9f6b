"""The kinds of task: a row for each. What else differs follows from the fields of its request."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args, get_origin

import attrs

from toapis_async.values.requests import GenerationRequest, ImageRequest, Kind, RoleReference, VideoRequest

FieldForm: TypeAlias = Literal[
    "text", "whole number", "number", "switch", "reference", "references", "mapping", "anything"
]


@attrs.frozen(kw_only=True)
class TaskKind:
    """One kind of task.

    Attributes:
        name: as models, records and prompt files call it.
        request: the class of its requests.
        path: of its endpoint, below the base URL.
        verbs: the client's attribute with its verbs.
        patience_seconds: how long a task is waited for before it is called late.
        listed_as: what the gateway's list of models calls it.
        bare_results: whether a result is its address and nothing else, so that a noted address is all there is.
        forms: what each field of its requests holds, None aside.
        optional: fields that may be None.
        shown: fields that hold references.
        with_roles: lists of references that may name the part that each plays.
        controls: fields that only some models have, beside size, references and the like.
        has_default_model: whether a request need not name its model.

    """

    name: Kind
    request: type[GenerationRequest]
    path: str
    verbs: str
    patience_seconds: float
    listed_as: Literal["image", "video", "audio"]
    bare_results: bool = True
    forms: Mapping[str, FieldForm] = attrs.field(
        init=False, repr=False, default=attrs.Factory(lambda self: _forms(self.request), takes_self=True)
    )
    optional: frozenset[str] = attrs.field(
        init=False, repr=False, default=attrs.Factory(lambda self: _optional(self.request), takes_self=True)
    )
    with_roles: frozenset[str] = attrs.field(
        init=False, repr=False, default=attrs.Factory(lambda self: _with_roles(self.request), takes_self=True)
    )
    shown: tuple[str, ...] = attrs.field(
        init=False, repr=False, default=attrs.Factory(lambda self: _shown(self.forms), takes_self=True)
    )
    controls: tuple[str, ...] = attrs.field(
        init=False, repr=False, default=attrs.Factory(lambda self: _controls(self.forms), takes_self=True)
    )

    has_default_model: bool = attrs.field(
        init=False,
        repr=False,
        default=attrs.Factory(
            lambda self: attrs.fields_dict(self.request)["model"].default is not attrs.NOTHING, takes_self=True
        ),
    )

    @property
    def with_article(self) -> str:
        """The kind in a sentence: ``an image``."""
        return f"{'an' if self.name[0] in 'aeiou' else 'a'} {self.name}"


def _form(annotation: object) -> FieldForm:
    if get_origin(annotation) is tuple:
        return "references"
    if get_origin(annotation) is Mapping:
        return "mapping"
    parts = set(get_args(annotation)) - {type(None)} or {annotation}
    if bytes in parts:
        return "reference"
    simple: dict[object, FieldForm] = {str: "text", int: "whole number", float: "number", bool: "switch"}
    return next((form for kind, form in simple.items() if kind in parts), "anything")


def _forms(request: type[GenerationRequest]) -> Mapping[str, FieldForm]:
    return MappingProxyType({field.name: _form(field.type) for field in attrs.fields(request)})


def _optional(request: type[GenerationRequest]) -> frozenset[str]:
    return frozenset(field.name for field in attrs.fields(request) if type(None) in get_args(field.type))


def _with_roles(request: type[GenerationRequest]) -> frozenset[str]:
    lists = [field for field in attrs.fields(request) if get_origin(field.type) is tuple]
    return frozenset(field.name for field in lists if RoleReference in get_args(get_args(field.type)[0]))


def _shown(forms: Mapping[str, FieldForm]) -> tuple[str, ...]:
    return tuple(name for name, form in forms.items() if form in {"reference", "references"})


def _controls(forms: Mapping[str, FieldForm]) -> tuple[str, ...]:
    shown = {*_shown(forms)} - {"mask"}
    return tuple(name for name in forms if name not in _STRUCTURE | _OF_THE_ITEM | shown)


# Fields that every model has a rule of its own for; all others are controls.
_STRUCTURE = frozenset({"prompt", "model", "size", "resolution", "duration", "n", "edit", "extra"})
# Danger: a new field that is in neither set is sent to the gateway as a control.
_OF_THE_ITEM = frozenset({"id", "client_business_id", "callback_url", "context", "label", "namespace", "priority"})

# Real tasks took from 13 s to over 6 min for images and up to an hour for videos; giving up early loses what was paid
# for.
_ROWS = (
    TaskKind(
        name="image",
        request=ImageRequest,
        path="/images/generations",
        verbs="images",
        patience_seconds=900.0,
        listed_as="image",
    ),
    TaskKind(
        name="video",
        request=VideoRequest,
        path="/videos/generations",
        verbs="videos",
        patience_seconds=3600.0,
        listed_as="video",
        bare_results=False,
    ),
)
KINDS: Mapping[Kind, TaskKind] = MappingProxyType({row.name: row for row in _ROWS})
REQUESTS: tuple[type[GenerationRequest], ...] = tuple(row.request for row in _ROWS)
_BY_REQUEST = {row.request: row for row in _ROWS}

UPLOADED_AS: Mapping[str, Literal["image", "video"]] = MappingProxyType(
    {
        "reference_images": "image",
        "reference_videos": "video",
        "mask": "image",
        "first_frame": "image",
        "last_frame": "image",
    }
)
"""Fields of requests whose local files the gateway takes as uploads; of others it takes addresses only."""


def kind_of(request: GenerationRequest) -> TaskKind:
    """Return the row of a request; that of a subclass is its parent's."""
    row = _BY_REQUEST.get(type(request))
    return row or next(row for row in _ROWS if isinstance(request, row.request))


@cache
def fields_of_form(*forms: FieldForm) -> frozenset[str]:
    """Name the fields of all kinds that hold this."""
    return frozenset(name for row in _ROWS for name, form in row.forms.items() if form in forms)
