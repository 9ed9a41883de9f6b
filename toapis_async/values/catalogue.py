"""What each model of the gateway accepts, where each field goes on the wire, and what it costs."""

from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

import attrs

from toapis_async.values.rules import (
    Durations,
    Edits,
    Parameter,
    PixelSizes,
    Price,
    ReferenceForm,
    References,
    Together,
)
from toapis_async.values.tasks import Kind

Channel: TypeAlias = Literal["plain", "vip", "official"]
"""Unofficial upstream, cheap; VIP; the vendor's own cloud with its native controls."""


@attrs.frozen(kw_only=True)
class Model:
    """One model.

    Attributes:
        id: what the wire wants.
        kind: image or video.
        aliases: other names for it; they are replaced by the id.
        family: what its variants have in common, for choosing among them.
        channel: which way to the vendor.
        vendor: who made it.
        complete: whether the entry tells every field: what it does not list, the model does not have. Of a model
            that is known by name only, what is not listed passes.
        sizes: ratios and words; None when it has no size, or none is documented.
        size_place: on the wire.
        any_ratio: whether other ratios than the listed ones are taken, up to ``max_ratio`` if that is given.
        pixels: for sizes given in pixels, or None.
        sizes_with: sizes that hold instead while the named parameter is true.
        resolutions, resolution_words, resolution_place: as for sizes.
        references: what it can be shown.
        prompt_max_chars: characters, or None where it is not documented.
        prompt_optional_with: the prompt may be empty when one of these is given, by name; empty where it never may.
        n_values: the only counts; empty when the bounds say it.
        n_max: None where it is not documented.
        n_sent: whether ``n`` is a documented field and is always sent.
        references_plus_n_max: bound of both together, or None.
        durations: None for images, and where it is not documented.
        parameters: further controls.
        together: rules about two fields.
        defaults: what the gateway takes without them, by user's name.
        callback_place: where the webhook's address goes.
        edits: its edits endpoint, or None.
        actions: what can be done to a finished video (``remix``, ``extend``), and the fields that it takes beside
            prompt and model.
        pixel_table: size, then resolution, then the pixels that come out.
        price: None when it is not known.
        price_note, note: one line each, or empty.
        conflicts: where the sources disagree.
        source, source_date: where this is from.

    """

    id: str
    kind: Kind
    aliases: tuple[str, ...] = ()
    family: str = ""
    channel: Channel = "plain"
    vendor: str = ""
    complete: bool = True
    sizes: tuple[str, ...] | None = None
    size_place: str = "size"
    any_ratio: bool = False
    max_ratio: float | None = None
    pixels: PixelSizes | None = None
    sizes_with: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    resolutions: tuple[str, ...] | None = None
    resolution_words: Mapping[str, str] = attrs.field(factory=dict)
    resolution_place: str = "metadata.resolution"
    references: References = attrs.field(factory=References)
    prompt_max_chars: int | None = None
    prompt_optional_with: tuple[str, ...] = ()
    n_values: tuple[int, ...] = ()
    n_max: int | None = None
    n_sent: bool = False
    references_plus_n_max: int | None = None
    durations: Durations | None = None
    parameters: tuple[Parameter, ...] = ()
    together: tuple[Together, ...] = ()
    defaults: Mapping[str, str | int | float | bool] = attrs.field(factory=dict)
    callback_place: str = "callback_url"
    edits: Edits | None = None
    actions: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    pixel_table: Mapping[str, Mapping[str, str]] = attrs.field(factory=dict)
    price: Price | None = None
    price_note: str = ""
    note: str = ""
    conflicts: tuple[str, ...] = ()
    source: str = ""
    source_date: str = ""

    @property
    def reference_place(self) -> str | None:
        """Where plain reference images go; None where they have no place, or none is documented."""
        place = self.references.images or self.references.image_roles
        return place.place if place else None

    @property
    def reference_form(self) -> ReferenceForm | None:
        """How plain reference images are written, or None."""
        place = self.references.images or self.references.image_roles
        return place.form if place else None

    @property
    def max_references(self) -> int | None:
        """How many reference images it takes, frames included; None where it is not documented."""
        if self.references.max_images is None and self.references.images is not None:
            return self.references.images.max
        return self.references.max_images

    def parameter(self, name: str) -> Parameter | None:
        """Return the parameter of this name, or None."""
        return next((one for one in self.parameters if one.name == name), None)


@attrs.frozen
class Catalogue:
    """All known models. Adding makes a new catalogue.

    Attributes:
        models: in the order in which they are listed.
        names: all ids and aliases.

    """

    models: tuple[Model, ...] = ()
    names: tuple[str, ...] = attrs.field(init=False, repr=False, eq=False)
    _by_name: Mapping[str, Model] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        names = {name: model for model in self.models for name in (*model.aliases, model.id)}
        # The market page's spelling, which has dashes for dots, gives way to every real name.
        by_name = {_market_spelling(name): model for name, model in names.items()}
        by_name.update({name.casefold(): model for name, model in names.items()})
        # Ids come last: an id is never shadowed by another model's alias. Exact spellings save a casefold per call.
        by_name.update({model.id.casefold(): model for model in self.models})
        by_name.update({model.id: model for model in self.models})
        object.__setattr__(self, "names", tuple(names))
        object.__setattr__(self, "_by_name", by_name)

    def __iter__(self) -> Iterator[Model]:
        return iter(self.models)

    def __len__(self) -> int:
        return len(self.models)

    def find(self, name: str) -> Model | None:
        """Return the model with this id or alias, whatever its case; None when it is not known.

        The market page writes dots as dashes (``gemini-2-5-flash-image-preview``); that is an alias of each model.
        """
        return self._by_name.get(name) or self._by_name.get(str(name).casefold())

    def canonical(self, name: str) -> str:
        """Return the id where the name is the market page's spelling of it, and any other name as it is."""
        model = self.find(name)
        if model is None or name == model.id or name.casefold() != _market_spelling(model.id):
            return name
        return name if name.casefold() == model.id.casefold() else model.id

    def with_models(self, *models: Model) -> "Catalogue":
        """Return a catalogue with these models added; one with a known id takes its place."""
        by_id = {model.id: model for model in self.models} | {model.id: model for model in models}
        return Catalogue(tuple(by_id.values()))


def _market_spelling(name: str) -> str:
    return name.replace(".", "-").casefold()
