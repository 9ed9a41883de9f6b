"""``toapis report``."""

import asyncio
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

import click

from toapis_async.cli.exits import Exit
from toapis_async.cli.gallery.bucket_files import fetch_files, fetch_manifest, with_copies
from toapis_async.cli.gallery.items import latest
from toapis_async.cli.options import json_option, quiet_option
from toapis_async.cli.stopping import Stopper, run
from toapis_async.cli.terminal.streams import Terminal
from toapis_async.clock import SystemClock
from toapis_async.errors import InvalidRequestError
from toapis_async.storage.manifest.manifest import read_manifest
from toapis_async.values.files import is_address

if TYPE_CHECKING:
    from toapis_async.cli.gallery.writing import Gallery, Written


@click.command(
    short_help="Write a gallery of a run.",
    epilog="""\b
Examples:
  toapis report out
  toapis report out --open
  toapis report out --watch --open
  toapis report s3://bucket/july -o july""",
)
@click.argument("place", metavar="DIR|ADDRESS")
@click.option("--output", "-o", metavar="DIR", help="Where the gallery of a bucket goes; made if it is missing.")
@click.option(
    "--fetch/--no-fetch",
    default=None,
    help="Copy files that are in a bucket into DIR/files, to be seen on the page.  [on for the address of a bucket]",
)
@click.option("--open", "open_it", is_flag=True, help="Show it in the browser.")
@click.option("--watch", is_flag=True, help="Follow a run that is under way; an open page follows too.")
@json_option
@quiet_option
def report(
    place: str, output: str | None, fetch: bool | None, open_it: bool, watch: bool, as_json: bool, quiet: bool
) -> int:
    """Write DIR/index.html, a gallery of the run.

    It works offline and needs nothing but the files of DIR. Only you can read it, since it holds prompts. Run it
    again at any time: only what is new is drawn. Of a bucket the manifest is read, which a run copies there every
    minute and at its end; what was copied before is not fetched again.
    """
    terminal = Terminal(as_json=as_json, quiet=quiet)
    in_bucket = is_address(place)
    from toapis_async.cli.gallery.thumbnails import FOLDER  # noqa: PLC0415  # needs the extra
    from toapis_async.cli.gallery.writing import Gallery  # noqa: PLC0415

    _refuse_what_does_not_fit(place, output, watch=watch, fetch=fetch)
    directory = Path(place if output is None else output)
    gallery = Gallery(directory=directory, terminal=terminal, clock=SystemClock(), run="JOURNAL" if in_bucket else None)
    if watch:
        return _watch(gallery, terminal, open_it=open_it)

    manifest = directory / FOLDER if in_bucket else directory
    fetches = in_bucket if fetch is None else fetch

    async def work(_: Stopper) -> int:
        if in_bucket:
            await fetch_manifest(place, manifest)
        if fetches:
            await fetch_files(await asyncio.to_thread(lambda: latest(read_manifest(manifest))), directory)
        return Exit.DONE

    if (in_bucket or fetches) and (code := run(work)) != Exit.DONE:
        return code
    entries = latest(read_manifest(manifest))
    entries = with_copies(entries, directory) if fetches else entries
    _tell(gallery.write(entries), terminal, open_it=open_it)
    return Exit.DONE


def _refuse_what_does_not_fit(place: str, output: str | None, *, watch: bool, fetch: bool | None) -> None:
    if not is_address(place):
        if output is not None:
            raise InvalidRequestError("-o is for a bucket: the gallery of a directory goes into that directory.")
        if not (Path(place) / "manifest.jsonl").is_file() and not (watch and Path(place).is_dir()):
            hint = "Give the output directory of toapis batch, or of a session."
            raise InvalidRequestError(f"{place} holds no manifest.jsonl.", hint=hint)
    elif output is None:
        raise InvalidRequestError(
            "A gallery is written on this machine.", hint=f"Add -o DIR: toapis report {place} -o DIR"
        )
    if watch and (fetch or is_address(place)):
        raise InvalidRequestError(
            "A bucket is not watched: its manifest is copied there once a minute.",
            hint="Watch the directory that --journal named, or write the gallery again.",
        )


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
