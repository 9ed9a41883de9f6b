"""``toapis export``."""

import tempfile
from pathlib import Path

import click

from toapis_async.cli.exits import Exit
from toapis_async.cli.formatting.amounts import count_text
from toapis_async.cli.gallery.bucket_files import fetch_manifest
from toapis_async.cli.options import json_option, quiet_option
from toapis_async.cli.stopping import run
from toapis_async.cli.terminal.streams import Terminal
from toapis_async.errors import InvalidRequestError
from toapis_async.storage.manifest.manifest import read_manifest
from toapis_async.values.files import is_address


@click.command(
    short_help="Write a run's manifest as a Parquet file.",
    epilog="""\b
Examples:
  toapis export out out.parquet
  toapis export s3://bucket/july july.parquet""",
)
@click.argument("source", metavar="DIR|ADDRESS")
@click.argument("file", metavar="FILE.parquet")
@json_option
@quiet_option
def export(source: str, file: str, as_json: bool, quiet: bool) -> int:
    """Write the manifest of DIR, or of a bucket, as a Parquet file: a row for each item, in the manifest's order.

    Paths of files are relative to DIR, or addresses. Columns that went along with the items are in the column
    context, as JSON. An existing file is replaced when the new one is whole.
    """
    terminal = Terminal(as_json=as_json, quiet=quiet)
    place = Path(file)
    if place.suffix.lower() not in {".parquet", ".pq"}:
        raise InvalidRequestError(f"{file} is no Parquet file by its name.", hint="Name it out.parquet, for instance.")
    with tempfile.TemporaryDirectory(prefix="toapis-") as copied:
        directory = Path(copied if is_address(source) else source)
        if is_address(source):
            if (code := run(lambda _: _copied(source, directory))) != Exit.DONE:
                return code
        elif not (directory / "manifest.jsonl").is_file():
            hint = "Give the output directory of toapis batch, or of a session."
            raise InvalidRequestError(f"{source} holds no manifest.jsonl.", hint=hint)
        from toapis_async.storage.manifest.parquet_file import write_parquet  # noqa: PLC0415  # needs the extra

        rows = write_parquet(read_manifest(directory), place)
    if as_json:
        terminal.result_json({"file": str(place), "rows": rows})
    else:
        terminal.result(str(place))
    terminal.say(f"{count_text(rows, 'row')}.")
    return Exit.DONE


async def _copied(address: str, folder: Path) -> int:
    await fetch_manifest(address, folder)
    return Exit.DONE
