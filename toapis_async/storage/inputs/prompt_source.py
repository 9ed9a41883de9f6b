"""The user's prompt file on the disk: read twice, once to check it and once to send it, and never held as a whole."""

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import attrs

from toapis_async.errors import InvalidRequestError
from toapis_async.policy.requests.references import (
    MAX_IMAGE_BYTES,
    MAX_VIDEO_BYTES,
    check_reference_bytes,
    check_video_bytes,
)
from toapis_async.policy.requests.spelling import did_you_mean
from toapis_async.storage.files.private_files import make_private_directory, open_private
from toapis_async.storage.files.refusals import storage_error
from toapis_async.storage.inputs.reference_files import kind_of_file, open_plain_file
from toapis_async.storage.journal.sqlite_journal import PRIVATE_DIRECTORY
from toapis_async.values.tasks import Kind
from toapis_async.wire.prompt_files import (
    LONGEST_LINE_BYTES,
    Line,
    Made,
    Make,
    PromptForm,
    form_of,
    read_lines,
    read_rows,
)
from toapis_async.wire.table_columns import Columns

_HEAD_BYTES = 4096


@attrs.frozen(kw_only=True)
class PromptSource:
    """A file of prompts.

    Attributes:
        path: of the file.
        form: how it is written.
        name: what to call it to the user.
        comments: whether lines of a text file that begin with # are no prompts.

    """

    path: Path
    form: PromptForm
    name: str
    comments: bool = False

    @classmethod
    def named(cls, name: str, form: PromptForm | None = None) -> "PromptSource":
        """Take a path as the user gave it.

        Args:
            name: the path.
            form: how it is written; None tells it by the name.

        Raises:
            InvalidRequestError: it is no file, or none of a known form.

        """
        path = Path(name)
        _refuse_no_file(path)
        if form is None:
            form = form_of(name) if is_seekable_file(path) else pipe_form(name)
        return cls(path=path, form=form, name=name)

    @property
    def directory(self) -> str:
        """Where relative paths in it begin.

        It is part of the items' names, so it has to be the same whatever way led to the file.
        """
        return str(self.path.parent.resolve())

    def read(self, columns: Columns, make: Make[Made]) -> Iterator[Line[Made]]:
        """Make something of every line, or of every row of a table.

        Args:
            columns: which column is which field; of a table the others are left out, since tables hold much else.
            make: makes something of a line's fields.

        Raises:
            InvalidRequestError: it cannot be read.

        """
        if self.form not in {"parquet", "arrow"}:
            return read_lines(self.lines(), self.form, columns, make, comments=self.comments)
        # An extra, and many megabytes: only whoever has a table pays for it.
        from toapis_async.storage.inputs.table_files import column_names, table_rows  # noqa: PLC0415

        columns = attrs.evolve(columns, others="left")
        names = column_names(self.path, self.form)
        plan = columns.plan(names)
        used = () if isinstance(plan, tuple) else plan.used
        return read_rows(table_rows(self.path, self.form, used), names, columns, make)

    def lines(self) -> Iterator[bytes]:
        """Read it line by line; of one that is far too long, only so much that this can be told.

        Raises:
            InvalidRequestError: it cannot be read.

        """
        try:
            with self.path.open("rb") as file:
                while line := file.readline(LONGEST_LINE_BYTES + 1):
                    yield line
        except OSError as error:
            raise _unreadable(self.path, error) from error


def is_seekable_file(path: Path) -> bool:
    """Whether it can be read twice; a pipe cannot."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def pipe_form(name: str) -> PromptForm:
    """Tell the form of what comes through a pipe: JSON Lines, unless its name says otherwise."""
    return form_of(name) if Path(name).suffix else "jsonl"


def spool(pipe: Path | None, directory: Path) -> Path:
    """Copy what can be read only once to the output directory, under a name of its own.

    Args:
        pipe: what to read; None for stdin.
        directory: the output directory; made if it is missing.

    Raises:
        InvalidRequestError: it cannot be read.
        StorageError: the disk refused.

    """
    place = directory / PRIVATE_DIRECTORY / f"input-{os.getpid()}.part"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        make_private_directory(place.parent)
        place.unlink(missing_ok=True)
        with os.fdopen(open_private(place), "wb") as file:
            if pipe is None:
                shutil.copyfileobj(sys.stdin.buffer, file)
            else:
                with _opened(pipe) as stream:
                    shutil.copyfileobj(stream, file)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise storage_error(error, path=str(place)) from error
    return place


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error


def settle(spooled: Path) -> Path:
    """Give a spooled input its lasting name; the caller holds the directory.

    Raises:
        StorageError: the disk refused.

    """
    place = spooled.with_name("input.lines")
    try:
        return spooled.replace(place)
    except OSError as error:
        raise storage_error(error, path=str(place)) from error


@lru_cache(maxsize=8192)
def wrong_reference_file(path: str, kind: Kind) -> str | None:
    """Return what is wrong with a local reference, by its length and first bytes, or None.

    Args:
        path: of the file.
        kind: what it has to be.

    """
    try:
        with open_plain_file(path) as file:
            length = os.fstat(file.fileno()).st_size
            head = file.read(_HEAD_BYTES)
    except InvalidRequestError as error:
        return error.violations[0]
    except FileNotFoundError:
        return f"reference {path!r} does not exist"
    except (OSError, ValueError) as error:
        return f"reference {path!r} cannot be read: {getattr(error, 'strerror', None) or error}"
    most = MAX_IMAGE_BYTES if kind == "image" else MAX_VIDEO_BYTES
    if length > most:
        return f"reference {path!r} has {length:,} bytes; the gateway takes at most {most:,}"
    return (check_reference_bytes if kind == "image" else check_video_bytes)(head, f"reference {path!r}")


def _refuse_no_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        try:
            there = [entry.name for entry in path.absolute().parent.iterdir()]
        except OSError:
            there = []
        raise InvalidRequestError(
            f"{path} does not exist{did_you_mean(path.name, there)}.",
            hint="Give the path of a .jsonl, .csv, .txt or .parquet file, or - to read JSON Lines from stdin.",
        ) from None
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if stat.S_ISDIR(mode):
        raise InvalidRequestError(f"{path} is a directory.", hint="Give the path of a .jsonl, .csv or .txt file in it.")
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or _is_terminal(path, mode)):
        raise InvalidRequestError(
            f"{path} is {kind_of_file(mode)}, and may never end.", hint="Give the path of a file, or - for stdin."
        )


def _is_terminal(path: Path, mode: int) -> bool:
    """Whether it is the terminal at stdin, as ``/dev/stdin`` can be; not opened to be looked at."""
    return stat.S_ISCHR(mode) and os.isatty(0) and path.stat().st_rdev == os.fstat(0).st_rdev


def _unreadable(path: Path, error: Exception) -> InvalidRequestError:
    return InvalidRequestError(
        f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.", hint="Nothing was sent."
    )
