"""Files that were saved."""

import os
import re
from pathlib import Path
from typing import Literal, TypeAlias

import attrs

Verify: TypeAlias = Literal["structure", "decode"]
"""How far a file is looked into before it counts as whole: its structure, or a picture's pixels as well."""

# Two letters at least: ``C://out`` is a drive of Windows.
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_address(where: str) -> bool:
    """Tell whether this is an address such as ``s3://bucket/july``, and not a path of this machine."""
    return _ADDRESS.match(where) is not None


def _text(where: str | os.PathLike[str]) -> str:
    return os.fspath(where)


@attrs.frozen(kw_only=True)
class SavedFile:
    """A file that was verified and published under its name.

    Attributes:
        uri: where it is: a path below the output directory as the user gave it, or an address such as
            ``s3://bucket/july/cat.png`` where files go elsewhere.
        bytes: its length.
        sha256: of its content, in hexadecimal.
        mime: by its signature bytes, not by what the server said.
        width, height: pixels; None where the format does not say so in its head.
        mtime_ns: the modification time that the file system gave it; tells an untouched file without reading it.

    """

    uri: str = attrs.field(converter=_text)
    bytes: int
    sha256: str
    mime: str
    width: int | None = None
    height: int | None = None
    mtime_ns: int | None = None

    @property
    def path(self) -> Path:
        """The file on this machine.

        Raises:
            ValueError: it is not on this machine; ``uri`` says where it is.

        """
        if is_address(self.uri):
            raise ValueError(f"{self.uri} is not on this machine and has no path; use its uri")
        return Path(self.uri)

    @property
    def name(self) -> str:
        """The last part of ``uri``."""
        return self.uri.replace(os.sep, "/").rpartition("/")[2]


@attrs.frozen(kw_only=True)
class FileBytes:
    """A file that was verified and is kept in memory only.

    Attributes:
        data: all of it.
        mime, sha256, width, height: as in ``SavedFile``.

    """

    data: bytes = attrs.field(repr=False)
    mime: str
    sha256: str
    width: int | None = None
    height: int | None = None
