"""``toapis report``."""

import asyncio
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toapis_async.cli.exits import Exit
from toapis_async.cli.options import json_option, quiet_option
from toapis_async.cli.stopping import Stopper, run
from toapis_async.cli.terminal.streams import Terminal
from toapis_async.clock import SystemClock
from toapis_async.errors import InvalidRequestError
from toapis_async.storage.manifest.manifest import read_manifest

if TYPE_CHECKING:
    from toapis_async.cli.gallery.writing import Gallery, Written


@click.command(
    short_help="Write a gallery of a run.",
    epilog="""\b
Examples:
  toapis report out
  toapis report out --open
  toapis report out --watch --open""",
)
@click.argument("directory", metavar="DIR")
@click.option("--open", "open_it", is_flag=True, help="Show it in the browser.")
@click.option("--watch", is_flag=True, help="Follow a run that is under way; an open page follows too.")
@json_option
@quiet_option
def report(directory: str, open_it: bool, watch: bool, as_json: bool, quiet: bool) -> int:
    """Write DIR/index.html, a gallery of the run.

    It works offline and needs nothing but the files of DIR. Only you can read it, since it holds prompts. Run it
    again at any time: only what is new is drawn.
    """
    terminal = Terminal(as_json=as_json, quiet=quiet)
    place = Path(directory)
    from toapis_async.cli.gallery.writing import Gallery  # noqa: PLC0415  # needs the extra

    gallery = Gallery(directory=place, terminal=terminal, clock=SystemClock())
    has_manifest = (place / "manifest.jsonl").is_file()
    if not has_manifest and not (watch and place.is_dir()):
        raise InvalidRequestError(
            f"{directory} holds no manifest.jsonl.", hint="Give the output directory of toapis batch, or of a session."
        )
    if watch:
        return _watch(gallery, terminal, open_it=open_it)
    _tell(gallery.write(read_manifest(place)), terminal, open_it=open_it)
    return Exit.DONE


def _watch(gallery: "Gallery", terminal: Terminal, *, open_it: bool) -> int:
    from toapis_async.cli.gallery.following import follow  # noqa: PLC0415  # needs the extra

    async def work(stopper: Stopper) -> int:
        stopper.polite = True
        stop = asyncio.Event()
        stopper.on_first = stop.set
        terminal.say(f"Following {gallery.directory} until its run has ended; Ctrl-C stops following, not the run.")
        if open_it:
            await asyncio.to_thread(_open_live, gallery)
        _tell(await follow(gallery, stop), terminal)
        return Exit.DONE

    return run(work)


def _open_live(gallery: "Gallery") -> None:
    written = gallery.write_live(read_manifest(gallery.directory), with_page=True)
    webbrowser.open(written.page.absolute().as_uri())


def _tell(written: "Written", terminal: Terminal, *, open_it: bool = False) -> None:
    if terminal.as_json:
        terminal.result_json({"page": str(written.page), "items": written.items, "files": written.files})
    else:
        terminal.result(str(written.page))
    if open_it:
        webbrowser.open(written.page.absolute().as_uri())
