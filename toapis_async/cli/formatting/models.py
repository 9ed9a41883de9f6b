"""What the catalogue knows about a model, in words; and which of a family's variants to take."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from toapis_async.policy.requests.sizes import allowed_sizes
from toapis_async.values.catalogue import Catalogue, Model
from toapis_async.values.rules import Parameter, Price, ReferencePlace

_CHANNELS = {
    "plain": "cheapest; an unofficial way to the vendor's model",
    "vip": "the same through a way with more capacity",
    "official": "the vendor's own cloud with its native controls; for production",
}


def price_words(price: Price | None) -> str:
    """Say what an output costs; empty when it is not known."""
    if price is None:
        return ""
    if price.per_output is not None:
        return f"{_usd(price.per_output)} each"
    seconds = [*price.per_second_by_resolution.values(), *price.per_second_silent_by_resolution.values()]
    measured = (*price.by_size_and_quality.values(), *price.by_resolution_and_quality.values())
    images = [*price.by_resolution.values(), *(each for row in measured for each in row.values())]
    for prices, unit in ((images, "each"), (seconds, "a second")):
        if prices:
            return f"{_range(prices)} {unit}"
    if price.per_second is not None:
        return f"{_usd(price.per_second)} a second"
    return "by tokens" if price.per_million_tokens else ""


def size_words(model: Model) -> str:
    """Say which sizes there are; empty when there are none or none is documented."""
    return allowed_sizes(model)


def resolution_words(model: Model) -> str:
    """Say which resolutions there are."""
    return ", ".join(map(one_spelling, model.resolutions or ()))


def one_spelling(resolution: str) -> str:
    """Return a resolution as all models are shown with it, ``2K`` or ``720p``; either case is understood."""
    number, unit = resolution[:-1], resolution[-1:]
    if not number.replace(".", "", 1).isdigit():
        return resolution
    return number + {"k": "K", "P": "p"}.get(unit, unit)


def reference_words(model: Model) -> str:
    """Say what it can be shown."""
    references, parts = model.references, []
    most = model.max_references
    if most is None and (references.images or references.image_roles):
        parts.append("images")
    elif most:
        parts.append(f"up to {most} image{'s' if most > 1 else ''}")
    parts += ["frames"] if references.first_frame else []
    for name, place in (("videos", references.videos), ("audios", references.audios)):
        if place is not None:
            parts.append(_clips(name, place))
    return ", ".join(parts) + (" (needed)" if references.required and parts else "")


def short_references(model: Model) -> str:
    """Say in a few characters how many images it can be shown, and what else."""
    most = model.max_references
    takes_images = bool(model.references.images or model.references.image_roles)
    parts = [str(most)] if most else ["yes"] if takes_images and most is None else []
    if model.references.videos or model.references.audios:
        parts.append("clips")
    return " + ".join(parts)


def short_price(price: Price | None) -> str:
    """Say in a few characters what an output costs in USD; empty when it is not known."""
    words = price_words(price).replace(" USD", "").replace(" each", "").replace(" to ", "–").replace(" a second", "/s")
    return re.sub(r"\d+\.\d{5,}", lambda found: f"{float(found[0]):.3g}", words)


def count_words(model: Model) -> str:
    """Say how many it makes in one task."""
    if model.n_values:
        return ", ".join(map(str, model.n_values))
    return "1" if model.n_max == 1 else f"1 to {model.n_max}" if model.n_max else ""


def duration_words(model: Model) -> str:
    """Say how long its videos are."""
    rule = model.durations
    if rule is None:
        return ""
    if rule.values:
        return ", ".join(map(str, rule.values)) + " s"
    low = "" if rule.low is None else str(rule.low)
    return f"{low} to {rule.high} s" if rule.high is not None else f"{low} s or more"


def control_words(parameter: Parameter) -> str:
    """Say what a control takes."""
    if parameter.choices:
        text = ", ".join(parameter.choices)
    elif parameter.low is not None or parameter.high is not None:
        bounds = ["" if bound is None else f"{bound:g}" for bound in (parameter.low, parameter.high)]
        text = f"{parameter.kind} {bounds[0]} to {bounds[1]}"
    else:
        text = parameter.kind
    default = "" if parameter.default is None else f"; {parameter.default} by default"
    return text + default + (f". {parameter.note}" if parameter.note else "")


def details(model: Model) -> list[tuple[str, str]]:
    """Return everything known about a model, a name and a text each; what is not known is left out."""
    rows = [
        ("kind", model.kind),
        ("vendor", model.vendor),
        ("family", model.family),
        ("channel", f"{model.channel}: {_CHANNELS[model.channel]}"),
        ("also called", ", ".join(model.aliases)),
        ("price", price_words(model.price) or "unknown"),
        ("", model.price_note),
        ("sizes", size_words(model)),
        ("resolutions", resolution_words(model)),
        ("durations", duration_words(model)),
        ("references", reference_words(model)),
        ("", model.references.limits),
        ("n", count_words(model)),
        ("prompt", f"at most {model.prompt_max_chars:,} characters" if model.prompt_max_chars else ""),
        ("defaults", ", ".join(f"{name} {value}" for name, value in model.defaults.items())),
        ("actions", ", ".join((*model.actions, *(["edit"] if model.edits else [])))),
    ]
    rows += [(f"  {one.name}", control_words(one)) for one in model.parameters]
    rows += [("rule", rule.why) for rule in model.together]
    rows += [("note", model.note)]
    rows += [("sources differ", conflict) for conflict in model.conflicts]
    rows += [("source", " ".join(filter(None, (model.source, model.source_date))))]
    return [(name, text) for name, text in rows if text]


def advice(model: Model, catalogue: Catalogue) -> list[str]:
    """Say which variant of a model's family to take; nothing where there is no choice."""
    variants = [one for one in catalogue if one.family and one.family == model.family and one.kind == model.kind]
    if len(variants) < 2:
        return []
    return [f"{one.id}: {', '.join(_points(one, variants))}" for one in variants]


def _points(model: Model, variants: list[Model]) -> list[str]:
    """Say for what a variant is the one to take."""
    others = [one for one in variants if one is not model]
    points = [_CHANNELS[model.channel]]
    if price := price_words(model.price):
        points.append(price)
    only = [one for one in model.resolutions or () if not any(_has(one, other.resolutions) for other in others)]
    if only:
        points.append(f"the only one with {', '.join(map(one_spelling, only))}")
    elif model.resolutions and any(other.resolutions != model.resolutions for other in others):
        points.append(f"resolutions {resolution_words(model)}")
    elif not model.resolutions and any(other.resolutions for other in others):
        points.append("no choice of resolution")
    mine = {one.name for one in model.parameters}
    extra = sorted(mine - {one.name for other in others for one in other.parameters})
    if extra:
        points.append(f"controls {', '.join(extra[:6])}{', …' if len(extra) > 6 else ''}")
    if model.max_references and model.max_references > max((other.max_references or 0 for other in others), default=0):
        points.append(f"most references ({model.max_references})")
    return points


def model_form(model: Model) -> dict[str, object]:
    """Return a model as JSON; what is not known is null."""
    price = model.price
    return {
        "id": model.id,
        "kind": model.kind,
        "family": model.family,
        "channel": model.channel,
        "vendor": model.vendor,
        "aliases": list(model.aliases),
        "sizes": None if model.sizes is None else list(model.sizes),
        "any_size": model.any_ratio or model.pixels is not None,
        "resolutions": None if model.resolutions is None else list(map(one_spelling, model.resolutions)),
        "max_references": model.max_references,
        "n_max": max(model.n_values) if model.n_values else model.n_max,
        "durations": duration_words(model) or None,
        "prompt_max_chars": model.prompt_max_chars,
        "controls": {one.name: control_words(one) for one in model.parameters},
        "defaults": dict(model.defaults),
        "price": price_words(price) or None,
        "price_per_output_usd": None if price is None or price.per_output is None else float(price.per_output),
        "price_by_resolution_usd": None if price is None else _numbers(price.by_resolution),
        "price_per_second_usd": None if price is None or price.per_second is None else float(price.per_second),
        "note": model.note,
        "source": model.source,
        "source_date": model.source_date,
    }


def _numbers(prices: Mapping[str, Decimal]) -> dict[str, float] | None:
    return {name: float(price) for name, price in prices.items()} or None


def _has(word: str, words: tuple[str, ...] | None) -> bool:
    return word.casefold() in {one.casefold() for one in words or ()}


def _clips(name: str, place: ReferencePlace) -> str:
    return name if place.max is None else f"up to {place.max} {name}"


def _range(prices: Iterable[Decimal]) -> str:
    low, *_, high = sorted([*(all_ := list(prices)), *all_[-1:]])
    return _usd(low) if low == high else f"{_usd(low, unit=False)} to {_usd(high)}"


def _usd(amount: Decimal, *, unit: bool = True) -> str:
    text = f"{amount.normalize():f}"
    whole, point, rest = text.partition(".")
    return f"{whole}.{(rest if point else '').ljust(2, '0')}" + (" USD" if unit else "")
