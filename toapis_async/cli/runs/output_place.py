"""The output directory, tried out before anything is paid for."""

import tempfile
from pathlib import Path

from toapis_async.errors import ConfigurationError


def probe(directory: Path) -> None:
    """Make a directory, and write and remove a file in it.

    Raises:
        ConfigurationError: no file can be written there.

    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=directory, prefix=".toapis-", suffix=".probe") as file:
            file.write(b"toapis")
            file.flush()
    except OSError as error:
        said = error.strerror or type(error).__name__
        raise ConfigurationError(
            f"Nothing can be saved in {directory}: {said}. Nothing was sent.",
            hint="Choose another directory with -o, or make room and give yourself write access there.",
        ) from error
