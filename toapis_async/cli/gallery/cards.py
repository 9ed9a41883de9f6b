"""What the gallery shows of one item, and of all of them."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from urllib.parse import quote

import attrs

from toapis_async.cli.formatting.amounts import usd
from toapis_async.values.files import SavedFile, is_address
from toapis_async.wire.manifest import ManifestEntry

_ORDER = {"failed": 0, "unknown": 1, "unfinished": 2, "saved": 3}


@attrs.frozen(kw_only=True)
class Picture:
    """One file.

    Attributes:
        address: relative to the page.
        thumbnail: relative to the page; the file itself where there is none.
        is_video: whether it moves.
        width, height: pixels, or None.
        facts: size and length in words.

    """

    address: str
    thumbnail: str
    is_video: bool
    width: int | None
    height: int | None
    facts: str


@attrs.frozen(kw_only=True)
class Card:
    """One item.

    Attributes:
        id, status, prompt, model: as in the manifest.
        pictures: its files.
        cost, took, ended, task_id, error: in words, empty where not known.

    """

    id: str
    status: str
    prompt: str
    model: str
    pictures: tuple[Picture, ...]
    cost: str
    took: str
    ended: str
    task_id: str
    error: str


@attrs.frozen(kw_only=True)
class Totals:
    """All items.

    Attributes:
        counts: by status, those that there are.
        files: how many.
        cost: in words.

    """

    counts: dict[str, int]
    files: int
    cost: str


def latest(entries: Iterable[ManifestEntry]) -> list[ManifestEntry]:
    """Keep the last entry of each item, what did not end well first."""
    by_id: dict[str, ManifestEntry] = {}
    for entry in entries:
        by_id.pop(entry.id, None)
        by_id[entry.id] = entry
    return sorted(by_id.values(), key=lambda entry: _ORDER.get(entry.status, 0))


def totals_of(entries: Iterable[ManifestEntry]) -> Totals:
    """Count and add up."""
    counts: Counter[str] = Counter()
    files, cost, unpriced = 0, Decimal(0), 0
    for entry in entries:
        counts[entry.status] += 1
        files += len(entry.files)
        if entry.cost_usd is not None:
            cost += entry.cost_usd
        else:
            unpriced += entry.status == "saved"
    words = f"{usd(cost)} USD" if cost else ""
    if unpriced:
        words += (", " if words else "") + f"cost of {unpriced:,} not said"
    return Totals(counts={name: counts[name] for name in _ORDER if counts[name]}, files=files, cost=words)


def card_of(entry: ManifestEntry, thumbnails: dict[str, str]) -> Card:
    """Make the card of an item.

    Args:
        entry: of the manifest.
        thumbnails: addresses by the file's sha256.

    """
    took = (
        (entry.ended_at - entry.submitted_at).total_seconds()
        if entry.ended_at is not None and entry.submitted_at is not None
        else None
    )
    return Card(
        id=entry.id,
        status=entry.status,
        prompt=entry.prompt,
        model=entry.model or "",
        pictures=tuple(_picture(file, thumbnails) for file in entry.files),
        cost="" if entry.cost_usd is None else f"{usd(entry.cost_usd)} USD",
        took="" if took is None or took < 0 else f"{took:.0f} s",
        ended="" if entry.ended_at is None else entry.ended_at.strftime("%Y-%m-%d %H:%M UTC"),
        task_id=entry.task_id or "",
        error=entry.error_message or "",
    )


def address_of(file: SavedFile) -> str:
    """Return a file's address relative to the page; the dot keeps a colon from being read as a scheme.

    A file that is not on this machine has a link only where browsers go.
    """
    if is_address(file.uri):
        return file.uri if file.uri.startswith("https://") else "#"
    return "./" + quote(file.path.as_posix(), safe="/", errors="surrogatepass")


def _picture(file: SavedFile, thumbnails: dict[str, str]) -> Picture:
    facts = [f"{file.width} × {file.height}"] if file.width and file.height else []
    facts.append(f"{file.bytes / 1_000_000:.1f} MB" if file.bytes >= 100_000 else f"{file.bytes / 1000:.0f} kB")
    address = address_of(file)
    return Picture(
        address=address,
        thumbnail=thumbnails.get(file.sha256, address),
        is_video=file.mime.startswith("video/"),
        width=file.width,
        height=file.height,
        facts=" · ".join(facts),
    )
