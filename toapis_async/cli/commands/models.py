"""``toapis models``."""

from collections.abc import Iterable

import attrs
import click

from toapis_async.cli.exits import Exit
from toapis_async.cli.formatting.models import advice, details, model_form
from toapis_async.cli.options import base_url_option, json_option
from toapis_async.cli.settings import ClientOptions
from toapis_async.cli.stopping import run
from toapis_async.cli.terminal.streams import Terminal, printable
from toapis_async.errors import InvalidRequestError
from toapis_async.policy.requests.sizes import wire_size
from toapis_async.policy.requests.spelling import did_you_mean, wire_word
from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue
from toapis_async.values.catalogue import Catalogue, Model
from toapis_async.values.kinds import KINDS


@attrs.frozen(kw_only=True)
class _Filter:
    kind: str | None
    family: str | None
    vendor: str | None
    channel: str | None
    size: str | None
    resolution: str | None
    references: int | None
    priced: bool

    def passes(self, model: Model) -> bool:
        """Whether a model is one of those wanted."""
        return (
            self.kind in {None, model.kind}
            and self.channel in {None, model.channel}
            and _holds(self.family, f"{model.family} {model.id} {' '.join(model.aliases)}")
            and _holds(self.vendor, model.vendor)
            and (self.size is None or wire_size(model, self.size) is not None)
            and (self.resolution is None or wire_word(self.resolution, model.resolutions or ()) is not None)
            and (self.references is None or (model.max_references or 0) >= self.references)
            and (not self.priced or model.price is not None)
        )


@click.command(
    short_help="What there is, what it takes, what it costs.",
    epilog="""\b
Examples:
  toapis models --kind image --resolution 4K
  toapis models --family nano-banana
  toapis models gemini-3-pro-image-preview
  toapis models --available --json""",
)
@click.argument("model", metavar="[MODEL]", required=False)
@click.option("--kind", type=click.Choice(tuple(KINDS)), help="What it makes.")
@click.option("--family", metavar="WORD", help="Part of its family's name, its id or an alias.")
@click.option("--vendor", metavar="WORD", help="Part of its vendor's name.")
@click.option("--channel", type=click.Choice(("plain", "vip", "official")), help="Which way to the vendor.")
@click.option("--size", metavar="SIZE", help="That has this size, such as 21:9.")
@click.option("--resolution", metavar="RES", help="That has this resolution, such as 4K.")
@click.option("--references", type=click.IntRange(min=1), metavar="N", help="That takes at least so many references.")
@click.option("--priced", is_flag=True, help="Whose price is known.")
@click.option("--available", is_flag=True, help="That the gateway lists for your key (asks it; needs the key).")
@base_url_option
@json_option
def models(model: str | None, available: bool, base_url: str | None, as_json: bool, **filters: object) -> int:
    """List the models of the catalogue, or show everything about one and which variant to choose.

    The catalogue comes with the library: no key is needed, and an id that it does not know can be used all the same.
    """
    terminal = Terminal(as_json=as_json)
    catalogue = packaged_catalogue()
    if model is not None:
        _show_one(model, catalogue, terminal)
        return Exit.DONE
    wanted = _Filter(**filters)  # type: ignore[arg-type]  # click has checked them
    found = [one for one in catalogue if wanted.passes(one)]
    if available:
        listed = run_listed(base_url)
        unknown = [name for name in listed if catalogue.find(name) is None]
        found = [one for one in found if one.id in listed or any(alias in listed for alias in one.aliases)]
        if unknown and not any(filters.values()):
            terminal.say(f"Also listed, and not in the catalogue: {', '.join(sorted(unknown))}")
    if as_json:
        terminal.result_json([model_form(one) for one in found], pretty=True)
    elif found:
        _show_table(found)
    else:
        terminal.say("No model of the catalogue fits.")
    return Exit.DONE


def run_listed(base_url: str | None) -> set[str]:
    """Ask the gateway which models it lists for the key."""
    names: set[str] = set()

    async def work(_: object) -> int:
        async with ClientOptions(base_url=base_url).client() as client:
            for kind in KINDS.values():
                names.update(one.id for one in await client.models.list(type=kind.listed_as))
        return Exit.DONE

    run(work)
    return names


def _show_one(name: str, catalogue: Catalogue, terminal: Terminal) -> None:
    model = catalogue.find(name)
    if model is None:
        raise InvalidRequestError(
            f"The catalogue has no model {name!r}{did_you_mean(name, catalogue.names)}.",
            hint="It can be used all the same, without checks. Known ones: toapis models",
        )
    if terminal.as_json:
        terminal.result_json({**model_form(model), "variants": advice(model, catalogue)}, pretty=True)
        return
    from toapis_async.cli.terminal.tables import show_details  # noqa: PLC0415  # rich costs 50 ms

    show_details(model.id, [(name, printable(text)) for name, text in details(model)], advice(model, catalogue))


def _show_table(found: Iterable[Model]) -> None:
    from toapis_async.cli.terminal.tables import show_models  # noqa: PLC0415  # rich costs 50 ms

    show_models(found)


def _holds(part: str | None, text: str) -> bool:
    return part is None or part.casefold() in text.casefold()
