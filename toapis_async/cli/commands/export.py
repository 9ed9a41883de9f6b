"""``toapis export``."""

from pathlib import Path

import click

from toapis_async.cli.exits import Exit
from toapis_async.cli.formatting.amounts import count_text
from toapis_async.cli.options import json_option, quiet_option
from toapis_async.cli.terminal.streams import Terminal
from toapis_async.errors import InvalidRequestError
from toapis_async.storage.manifest.manifest import read_manifest


@click.command(
    short_help="Write a run's manifest as a Parquet file.",
    epilog="""\b
Example:
  toapis export out out.parquet""",
)
@click.argument("directory", metavar="DIR")
@click.argument("file", metavar="FILE.parquet")
@json_option
@quiet_option
def export(directory: str, file: str, as_json: bool, quiet: bool) -> int:
    """Write the manifest of DIR as a Parquet file: a row for each item, in the manifest's order.

    Paths of files are relative to DIR. Columns that went along with the items are in the column context, as JSON. An
    existing file is replaced when the new one is whole.
    """
    terminal = Terminal(as_json=as_json, quiet=quiet)
    source, place = Path(directory), Path(file)
    if place.suffix.lower() not in {".parquet", ".pq"}:
        raise InvalidRequestError(f"{file} is no Parquet file by its name.", hint="Name it out.parquet, for instance.")
    if not (source / "manifest.jsonl").is_file():
        raise InvalidRequestError(
            f"{directory} holds no manifest.jsonl.", hint="Give the output directory of toapis batch, or of a session."
        )
    from toapis_async.storage.manifest.parquet_file import write_parquet  # noqa: PLC0415  # needs the extra

    rows = write_parquet(read_manifest(source), place)
    if as_json:
        terminal.result_json({"file": str(place), "rows": rows})
    else:
        terminal.result(str(place))
    terminal.say(f"{count_text(rows, 'row')}.")
    return Exit.DONE
