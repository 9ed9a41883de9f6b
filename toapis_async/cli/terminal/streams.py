"""The two streams: results on stdout, everything else on stderr. Foreign text is made harmless here."""

import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from itertools import chain
from pathlib import Path
from typing import TextIO

import attrs

from toapis_async.cli.formatting.layout import cells, clipped, wrapped
from toapis_async.errors import ToAPIsError


class StdoutClosedError(Exception):
    """Whoever read our results has gone away (``| head``)."""


def printable(text: str) -> str:
    """Show control characters instead of sending them to the terminal; line breaks stay."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else _shown(char) for char in text)


def one_line(text: str, limit: int = 200) -> str:
    """Return the text on one printable line of at most *limit* characters."""
    line = printable(" ".join(text[: 4 * limit].split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _shown(char: str) -> str:
    return " " if char.isspace() else f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}"


@attrs.define
class Terminal:
    """Where the program speaks.

    Attributes:
        as_json: whether results are JSON.
        quiet: whether progress and summaries are left out; errors never are.
        above: prints a result line above a live display that owns the terminal; None without one.

    """

    as_json: bool = False
    quiet: bool = False
    above: Callable[[str], None] | None = None

    @property
    def is_watched(self) -> bool:
        """Whether results scroll by before a person, and not into a file or a program."""
        return sys.stdout.isatty()

    def result(self, text: str) -> None:
        """Write a result.

        Raises:
            StdoutClosedError: nobody reads it.

        """
        if self.above is not None and self.is_watched:
            self.above(text)
            return
        try:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            silence_stdout()
            raise StdoutClosedError from None

    def result_text(self, text: str) -> None:
        """Write a result that is prose: on a terminal it is broken between words.

        Raises:
            StdoutClosedError: nobody reads it.

        """
        if self.is_watched:
            text = "\n".join(wrapped(text, shutil.get_terminal_size().columns)) or text
        self.result(text)

    def result_json(self, value: Mapping[str, object] | list[object], *, pretty: bool = False) -> None:
        """Write a result as JSON, in plain ASCII so that any consumer can read it."""
        self.result(json.dumps(value, indent=2 if pretty else None))

    def say(self, text: str, *, as_is: bool = False) -> None:
        """Tell the person at the terminal something; left out when quiet."""
        if not self.quiet:
            self.warn(text, as_is=as_is)

    def warn(self, text: str, *, as_is: bool = False) -> None:
        """Tell the person at the terminal something that must be told.

        Args:
            text: of one or more lines; on a terminal, lines that are too long are broken between words.
            as_is: leaves them as they are, so that commands can be copied.

        """
        text = printable(text)
        if not as_is:
            text = _fitted(text)
        if self.above is not None:
            self.above(text)
            return
        complain(text)

    def warn_on_a_line(self, text: str) -> None:
        """Tell it on one line: of a terminal no more than its width, and whole words of it."""
        width = _width()
        line = printable(" ".join(text.split()))
        self.warn(line if width is None else clipped(line, width), as_is=True)

    def error(self, error: ToAPIsError) -> None:
        """Tell what went wrong and what to do next."""
        self.warn(error_text(error))


def _width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stderr.isatty() else None


def _fitted(text: str) -> str:
    width = _width()
    if width is None or all(cells(line) <= width for line in text.splitlines()):
        return text
    lines = (wrapped(line, width, indent=" " * (len(line) - len(line.lstrip()))) for line in text.splitlines())
    return "\n".join(chain.from_iterable(lines))


def error_text(error: ToAPIsError) -> str:
    """Return an error's text for people: what happened, then the hint on a line of its own."""
    return f"Error: {error}"


def complain(text: str) -> None:
    """Write to stderr; a closed one is nobody's business."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def silence_stdout() -> None:
    """Send what is still buffered for a closed stdout nowhere, so that the interpreter ends without complaint."""
    _silence(sys.stdout)


def close_streams() -> None:
    """Write out what is buffered; what nobody takes any more goes nowhere and changes no exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            _silence(stream)


def _silence(stream: TextIO) -> None:
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError, io.UnsupportedOperation):
        pass


def set_up_streams() -> None:
    """Let file names that are no text through, and what the terminal cannot show be escaped."""
    # A stream that was closed before we began is None; what is written to it goes nowhere.
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    if isinstance(sys.stdout, io.TextIOWrapper):
        holds_any_name = os.name == "posix" and sys.stdout.encoding.lower() in {"utf-8", "utf8"}
        sys.stdout.reconfigure(errors="surrogateescape" if holds_any_name else "backslashreplace")
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")
