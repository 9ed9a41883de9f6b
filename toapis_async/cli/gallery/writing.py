"""From a manifest to the page of the gallery."""

import json
import shlex
import zlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import attrs

from toapis_async.cli.gallery.items import Json, is_trouble, item_of, latest, reason_for
from toapis_async.cli.gallery.page import call_text, render
from toapis_async.cli.gallery.thumbnails import FOLDER, make_thumbnails
from toapis_async.cli.terminal.streams import Terminal
from toapis_async.clock import Clock
from toapis_async.policy.money.reasons import Reason
from toapis_async.storage.files.private_files import replace_private_text
from toapis_async.storage.files.refusals import storage_error
from toapis_async.wire.manifest import EntryStatus, ManifestEntry

_BETWEEN_WORDS = 500


@attrs.frozen(kw_only=True)
class Written:
    """What was written.

    Attributes:
        page: its file.
        items, files: how many it shows.
        version: changes with what it shows.

    """

    page: Path
    items: int
    files: int
    version: str


@attrs.frozen(kw_only=True)
class Gallery:
    """The gallery of an output directory. Its files are its owner's only: they hold prompts.

    Attributes:
        directory: the output directory.
        terminal: hears how far the thumbnails are.
        clock: dates the page.
        run: the directory that ``toapis resume`` is told; None for the output directory.

    """

    directory: Path
    terminal: Terminal
    clock: Clock
    run: str | None = None

    def write(self, entries: Iterable[ManifestEntry]) -> Written:
        """Write thumbnails and the page.

        Raises:
            StorageError: the disk refused.

        """
        written, data = self._gathered(entries)
        replace_private_text(written.page, [render(self._title, data)])
        self._remove("pulse.js", "data.js")
        return written

    def write_live(self, entries: Iterable[ManifestEntry], *, with_page: bool, live: bool = True) -> Written:
        """Write what an open page follows, and with it the page itself where that is asked for.

        Raises:
            StorageError: the disk refused.

        """
        written, data = self._gathered(entries)
        data = {**data, "version": written.version, "live": live}
        if with_page:
            replace_private_text(written.page, [render(self._title, data)])
        replace_private_text(self.directory / FOLDER / "data.js", [call_text("toapisData", data)])
        self.beat(written.version, live=live)
        return written

    def beat(self, version: str, *, live: bool) -> None:
        """Tell open pages which data there is, and that it is still looked after."""
        pulse = {"version": version, "live": live, "at": self.clock.now()}
        replace_private_text(self.directory / FOLDER / "pulse.js", [call_text("toapisPulse", pulse)])

    @property
    def _title(self) -> str:
        return self.directory.absolute().name or str(self.directory)

    def _gathered(self, entries: Iterable[ManifestEntry]) -> tuple[Written, Json]:
        shown = latest(entries)
        thumbnails = self._thumbnails(shown)
        items = [item_of(entry, self.directory, thumbnails) for entry in shown]
        data: Json = {
            "title": self._title,
            "reasons": _reasons(shown, str(self.directory) if self.run is None else self.run),
            "items": items,
        }
        count = sum(len(entry.files) for entry in shown)
        version = f"{zlib.crc32(json.dumps(data).encode()):08x}"
        return Written(page=self.directory / "index.html", items=len(shown), files=count, version=version), data

    def _thumbnails(self, shown: list[ManifestEntry]) -> dict[str, str]:
        files = [file for entry in shown for file in entry.files]
        thumbnails: dict[str, str] = {}
        for count, (sha256, address) in enumerate(make_thumbnails(self.directory, files), 1):
            if address is not None:
                thumbnails[sha256] = address
            if count % _BETWEEN_WORDS == 0:
                self.terminal.say(f"{count:,}/{len(files):,} thumbnails")
        return thumbnails

    def _remove(self, *names: str) -> None:
        for name in names:
            try:
                (self.directory / FOLDER / name).unlink(missing_ok=True)
            except OSError as error:
                raise storage_error(error, path=str(self.directory / FOLDER / name)) from error


def _reasons(entries: list[ManifestEntry], run: str) -> list[Json]:
    """Group what did not end well; the largest group comes first."""
    counts: Counter[tuple[Reason, EntryStatus]] = Counter(
        (reason_for(entry), entry.status) for entry in entries if is_trouble(entry)
    )
    return [
        {**attrs.asdict(reason), "status": status, "command": _command(reason, status, run)}
        for (reason, status), _ in counts.most_common()
    ]


def _command(reason: Reason, status: EntryStatus, run: str) -> str:
    """Return the command that goes on with the items of one group."""
    resume = f"toapis resume {shlex.quote(f'./{run}' if run.startswith('-') else run)}"
    if status == "failed":
        return f"{resume} --reason {reason.slug}"
    return f"{resume} --resubmit-unknown" if status == "unknown" else resume
