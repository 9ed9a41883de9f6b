"""Text that replaces a file as a whole or not at all."""

import secrets
from collections.abc import Iterable
from pathlib import Path

from toapis_async.storage.files.refusals import storage_error


def replace_text(path: Path, chunks: Iterable[str]) -> None:
    """Write a file beside its place and put it there; what was there stays if that fails.

    Raises:
        StorageError: the disk refused.

    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with draft.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.writelines(chunks)
        draft.replace(path)
    except OSError as error:
        raise storage_error(error, path=str(path)) from error
    finally:
        draft.unlink(missing_ok=True)
