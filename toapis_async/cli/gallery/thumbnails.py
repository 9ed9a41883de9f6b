"""Small pictures for the gallery; needs Pillow. Made by as many processes as there are cores, and only once."""

import os
import signal
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

from PIL import Image

from toapis_async.storage.files.private_files import draft_beside, make_private_directory, open_private, open_within
from toapis_async.values.files import SavedFile, is_address

FOLDER = "index_files"
LONG_SIDE = 512
"""Pixels."""
MOST_PIXELS = 100_000_000
"""A picture that says it has more is not decoded: a few kilobytes can unfold to gigabytes."""
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "AVIF")
_FEW = 24
_AT_ONCE = 8


def make_thumbnails(
    directory: Path, files: list[SavedFile], *, processes: int | None = None
) -> Iterator[tuple[str, str | None]]:
    """Make a thumbnail of each picture that has none, or an older one; yields its sha256 and the address, or None.

    A file that is missing, no picture, a symbolic link or too large costs its thumbnail and nothing else.

    Args:
        directory: where the files are, and the folder of thumbnails.
        files: of the manifest; a sha256 that comes twice is drawn once.
        processes: how many; None takes one for each core. A few pictures are made without any.

    Raises:
        StorageError: the disk refused the folder.

    """
    folder = directory / FOLDER
    make_private_directory(folder)
    here = (file for file in files if not is_address(file.uri))
    wanted = {file.sha256: file for file in here if file.mime.startswith("image/") and file.sha256[:24].isalnum()}
    old: list[SavedFile] = []
    for file in wanted.values():
        if _is_fresh(directory / file.path, folder / _name(file)):
            yield file.sha256, f"{FOLDER}/{_name(file)}"
        else:
            old.append(file)
    many = min(_cores() if processes is None else processes, -(-len(old) // _AT_ONCE))
    drawn = _drawn_alone(directory, old) if many < 2 or len(old) < _FEW else _drawn_together(directory, old, many)
    for file, is_drawn in zip(old, drawn, strict=True):
        yield file.sha256, f"{FOLDER}/{_name(file)}" if is_drawn else None


def _name(file: SavedFile) -> str:
    return f"{file.sha256[:24]}.webp"


def _is_fresh(source: Path, thumbnail: Path) -> bool:
    try:
        return thumbnail.lstat().st_mtime_ns >= source.lstat().st_mtime_ns
    except (OSError, ValueError):
        return False


def _cores() -> int:
    # A container or taskset may leave fewer than the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _drawn_alone(directory: Path, files: list[SavedFile]) -> Iterator[bool]:
    return map(partial(draw_thumbnail, directory), files)


def _drawn_together(directory: Path, files: list[SavedFile], processes: int) -> Iterator[bool]:
    done = 0
    # Spawned, for a fork of a process with threads may hang.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_leave_signals) as pool:
        with suppress(BrokenProcessPool):
            for is_drawn in pool.map(draw_thumbnail, repeat(directory), files, chunksize=_AT_ONCE):
                done += 1
                yield is_drawn
        # A process was killed, most likely for want of memory: the rest is shown from the files themselves.
        yield from repeat(False, len(files) - done)


def _leave_signals() -> None:
    """Leave Ctrl-C to the process that asked."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def draw_thumbnail(directory: Path, file: SavedFile) -> bool:
    """Draw one, and tell whether that could be done."""
    place = directory / FOLDER / _name(file)
    draft = draft_beside(place)
    try:
        with open(open_within(directory, file.path), "rb") as source:  # noqa: PTH123  # a descriptor has no path
            small = _small(source)  # type: ignore[arg-type]  # Pillow takes any reader
        with open(open_private(draft), "wb") as target:  # noqa: PTH123
            small.save(target, "WEBP", quality=80, method=0)
        draft.replace(place)
    except Exception:  # noqa: BLE001  # foreign bytes: Pillow raises whatever it likes
        return False
    else:
        return True
    finally:
        draft.unlink(missing_ok=True)


def _small(source: "Path") -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(source, formats=_FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError("too many pixels")
            image.draft("RGB", (LONG_SIDE, LONG_SIDE))
            # Averaging whole blocks first costs a tenth of a resampling, and looks the same at this size.
            image.thumbnail((LONG_SIDE, LONG_SIDE), reducing_gap=1.0)
            return image.copy() if image.mode in {"RGB", "RGBA"} else image.convert("RGBA")
