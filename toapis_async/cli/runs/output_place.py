"""The output directory, tried out before anything is paid for."""

import os
import shutil
import tempfile
from pathlib import Path

from toapis_async.errors import ConfigurationError

_LEAST_FREE_BYTES = 1_000_000
_USUAL_BYTES = 1_500_000


def refuse_a_file(directory: Path) -> None:
    """Refuse a path that is, or leads through, something else than a directory.

    Raises:
        ConfigurationError: it is a file; with what to give instead.

    """
    place = next((place for place in (directory, *directory.parents) if os.path.lexists(place)), directory)
    if place.is_dir() or not os.path.lexists(place):
        return
    what = "leads nowhere" if place.is_symlink() and not place.exists() else "is a file"
    name = directory.stem if directory == place else directory.name
    raise ConfigurationError(
        f"-o {directory}: {place} {what}, and -o takes a directory. Nothing was sent.",
        hint=f"Files are named after their items. Give a directory to put them in, such as -o {name}-images",
    )


def doubtful_room(directory: Path, outputs: int) -> str:
    """Return a warning where so many files of the usual length will hardly find room; empty where they will."""
    free, needed = shutil.disk_usage(directory).free, outputs * _USUAL_BYTES
    if free >= needed:
        return ""
    return f"{outputs:,} files need about {needed / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free in {directory}."


def probe(directory: Path) -> None:
    """Make a directory, and write, sync, rename and remove a file in it, as a run will.

    Raises:
        ConfigurationError: no file can be written there, or next to nothing is free.

    """
    refuse_a_file(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=directory, prefix=".toapis-", suffix=".probe", delete=False) as file:
            file.write(b"toapis")
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(f"{file.name}2")
        Path(f"{file.name}2").unlink()
        free = shutil.disk_usage(directory).free
    except OSError as error:
        said = error.strerror or type(error).__name__
        raise ConfigurationError(
            f"Nothing can be saved in {directory}: {said}. Nothing was sent.",
            hint="Choose another directory with -o, or make room and give yourself write access there.",
        ) from error
    if free < _LEAST_FREE_BYTES:
        raise ConfigurationError(
            f"Only {free / 1000:.0f} kB are free where {directory} is. Nothing was sent.",
            hint="Make room, or choose another directory with -o.",
        )
