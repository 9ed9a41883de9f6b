"""Whether a saved file is still what was saved. Blocks: it runs in the disk threads."""

from hashlib import file_digest
from pathlib import Path

from toapis_async.values.files import SavedFile


def is_intact(file: SavedFile, directory: Path) -> bool:
    """Tell whether a file is in the directory with the length and content that were recorded.

    An unchanged modification time stands for unchanged content; otherwise it is read and hashed.
    """
    path = directory / file.name
    try:
        found = path.stat()
        if found.st_size != file.bytes:
            return False
        if found.st_mtime_ns == file.mtime_ns:
            return True
        with path.open("rb") as content:
            return file_digest(content, "sha256").hexdigest() == file.sha256
    except OSError:
        return False
