"""From a manifest to the pages of the gallery."""

from collections.abc import Iterable
from pathlib import Path

import attrs

from toapis_async.cli.gallery.cards import card_of, latest, totals_of
from toapis_async.cli.gallery.page import page_name, render
from toapis_async.cli.gallery.thumbnails import make_thumbnails
from toapis_async.cli.terminal.streams import Terminal
from toapis_async.storage.inputs.text_files import replace_text
from toapis_async.wire.manifest import ManifestEntry

PER_PAGE = 600
_BETWEEN_WORDS = 500


@attrs.frozen(kw_only=True)
class Written:
    """What was written.

    Attributes:
        page: the first one.
        items, files: how many it shows, all pages together.

    """

    page: Path
    items: int
    files: int


def write_gallery(directory: Path, entries: Iterable[ManifestEntry], terminal: Terminal) -> Written:
    """Write thumbnails and pages.

    Raises:
        StorageError: the disk refused.

    """
    shown = latest(entries)
    files = [file for entry in shown for file in entry.files]
    thumbnails: dict[str, str] = {}
    for count, (sha256, address) in enumerate(make_thumbnails(directory, files), 1):
        if address is not None:
            thumbnails[sha256] = address
        if count % _BETWEEN_WORDS == 0:
            terminal.say(f"{count:,}/{len(files):,} thumbnails")
    totals = totals_of(shown)
    pages = max(1, -(-len(shown) // PER_PAGE))
    title = directory.absolute().name or str(directory)
    for number in range(1, pages + 1):
        cards = [card_of(entry, thumbnails) for entry in shown[(number - 1) * PER_PAGE : number * PER_PAGE]]
        pieces = render(title, cards, totals, page=number, pages=pages)
        replace_text(directory / page_name(number), pieces)
    return Written(page=directory / page_name(1), items=len(shown), files=len(files))
