"""The live display; needs rich."""

from contextlib import suppress

from rich.console import Console
from rich.live import Live
from rich.text import Text

from toapis_async.cli.terminal.panel import Style, panel
from toapis_async.cli.terminal.snapshot import Snapshot

_STYLES: dict[Style, str] = {"bar": "bold", "plain": "", "dim": "dim", "bad": "red", "warning": "yellow"}


class LiveDisplay:
    """The panel, redrawn in place on stderr."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._live = Live(console=self._console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        self._drawn: list[tuple[str, Style]] = []

    @property
    def width(self) -> int:
        """Columns of the terminal now."""
        return self._console.width

    def start(self) -> None:
        """Take the terminal."""
        self._live.start()

    def stop(self) -> None:
        """Give it back, with the last frame left standing."""
        self._live.stop()

    def print(self, text: str) -> None:
        """Print a text above the display as it is; a terminal that has gone away is nobody's business."""
        with suppress(OSError):
            self._console.print(Text(text), soft_wrap=True)

    def draw(self, now: Snapshot) -> None:
        """Draw a frame, if it differs from the one that stands."""
        lines = panel(now, self.width)
        if lines == self._drawn:
            return
        self._drawn = lines
        text = Text("\n").join(Text(line, style=_STYLES[style]) for line, style in lines)
        text.no_wrap = True
        self._live.update(text, refresh=True)
