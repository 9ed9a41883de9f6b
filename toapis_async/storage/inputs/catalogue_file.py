"""Catalogues of the user's own."""

import os
from pathlib import Path

from toapis_async.errors import ConfigurationError
from toapis_async.values.catalogue import Catalogue
from toapis_async.wire.catalogue import catalogue_from_json


def catalogue_file(path: str | os.PathLike[str]) -> Catalogue:
    """Read a user's own catalogue, to be added with ``packaged_catalogue().with_models(*catalogue_file(path))``.

    Raises:
        ConfigurationError: the file cannot be read, or is no catalogue; the message says where.

    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"the catalogue {os.fspath(path)!r} cannot be read: {error.strerror}") from error
    return catalogue_from_json(data, name=f"the catalogue {os.fspath(path)!r}")
