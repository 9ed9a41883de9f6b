"""Small pictures for the gallery; needs Pillow."""

import secrets
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from toapis_async.storage.files.refusals import storage_error
from toapis_async.values.files import SavedFile

FOLDER = "index_files"
_LONG_SIDE = 480
_WORKERS = 2


def make_thumbnails(directory: Path, files: list[SavedFile]) -> Iterator[tuple[str, str | None]]:
    """Make a thumbnail of each picture that has none yet; yields its sha256 and the address, or None without one.

    A file that is missing, no picture or too large to be one costs its thumbnail and nothing else.

    Raises:
        StorageError: the disk refused.

    """
    folder = directory / FOLDER
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise storage_error(error, path=str(folder)) from error
    with ThreadPoolExecutor(_WORKERS) as pool:
        yield from pool.map(lambda file: (file.sha256, _thumbnail(directory, folder, file)), files)


def _thumbnail(directory: Path, folder: Path, file: SavedFile) -> str | None:
    if not file.mime.startswith("image/") or not file.sha256[:24].isalnum():
        return None
    name = f"{file.sha256[:24]}.webp"
    place = folder / name
    if not place.exists():
        draft = folder / f".{name}.{secrets.token_hex(4)}.part"
        try:
            _draw(directory / file.path, draft)
            draft.replace(place)
        except Exception:  # noqa: BLE001  # foreign bytes: Pillow raises whatever it likes
            return None
        finally:
            draft.unlink(missing_ok=True)
    return f"{FOLDER}/{name}"


def _draw(source: Path, draft: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(source) as image:
            image.draft("RGB", (_LONG_SIDE, _LONG_SIDE))
            image.thumbnail((_LONG_SIDE, _LONG_SIDE))
            small = image if image.mode in {"RGB", "RGBA"} else image.convert("RGBA")
            small.save(draft, "WEBP", quality=80)
