"""Tables on stdout; needs rich."""

import sys
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from toapis_async.cli.formatting.models import one_spelling, short_price, short_references
from toapis_async.values.catalogue import Model

_PIPE_WIDTH = 160


def show_models(models: Iterable[Model]) -> None:
    """Print a table of models, one line each."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("model", no_wrap=True)
    for name in ("resolutions", "refs", "USD"):
        table.add_column(name)
    kind = None
    for model in models:
        if kind != model.kind:
            table.add_section()
            table.add_row(Text(f"{model.kind.capitalize()}s", style="bold"))
        kind = model.kind
        table.add_row(
            Text(model.id),
            Text(" ".join(map(one_spelling, model.resolutions or ())) or "–"),
            Text(short_references(model) or "–"),
            Text(short_price(model.price) or "unknown", style="" if model.price else "dim"),
        )
    _console().print(table)


def show_details(title: str, rows: Sequence[tuple[str, str]], choices: Sequence[str]) -> None:
    """Print everything about one model, and which variant to choose."""
    console = _console()
    console.print(Text(title, style="bold"))
    console.print(_grid(rows))
    if choices:
        console.print(Text("\nWhich variant to choose:", style="bold"))
        console.print(_grid([(name, words) for name, _, words in (choice.partition(": ") for choice in choices)]))


def _grid(rows: Iterable[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in rows:
        grid.add_row(Text(name, style="dim"), Text(text))
    return grid


def _console() -> Console:
    # Without a terminal nobody's window is 80 columns wide.
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    return Console(highlight=False, markup=False, emoji=False, width=width)
