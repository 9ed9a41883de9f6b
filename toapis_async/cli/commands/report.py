"""``toapis report``."""

import webbrowser
from pathlib import Path

import click

from toapis_async.cli.exits import Exit
from toapis_async.cli.options import json_option, quiet_option
from toapis_async.cli.terminal.streams import Terminal
from toapis_async.errors import InvalidRequestError
from toapis_async.storage.manifest.manifest import read_manifest


@click.command(
    short_help="Write a gallery of a run.",
    epilog="""\b
Examples:
  toapis report out
  toapis report out --open""",
)
@click.argument("directory", metavar="DIR")
@click.option("--open", "open_it", is_flag=True, help="Show it in the browser.")
@json_option
@quiet_option
def report(directory: str, open_it: bool, as_json: bool, quiet: bool) -> int:
    """Write DIR/index.html, a gallery of the run.

    It works offline and needs nothing but the files of DIR. Run it again at any time.
    """
    terminal = Terminal(as_json=as_json, quiet=quiet)
    place = Path(directory)
    from toapis_async.cli.gallery.writing import write_gallery  # noqa: PLC0415  # needs the extra

    if not (place / "manifest.jsonl").is_file():
        raise InvalidRequestError(
            f"{directory} holds no manifest.jsonl.", hint="Give the output directory of toapis batch, or of a session."
        )
    written = write_gallery(place, read_manifest(place), terminal)
    if as_json:
        terminal.result_json({"page": str(written.page), "items": written.items, "files": written.files})
    else:
        terminal.result(str(written.page))
    if open_it:
        webbrowser.open(written.page.absolute().as_uri())
    return Exit.DONE
