"""The live display; needs rich."""

from contextlib import suppress

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from toapis_async.cli.terminal.standing import Standing


class LiveDisplay:
    """A bar, the counts and the figures, redrawn in place on stderr."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._live = Live(console=self._console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)

    def start(self) -> None:
        """Take the terminal."""
        self._live.start()

    def stop(self) -> None:
        """Give it back, with the last frame left standing."""
        self._live.stop()

    def print(self, text: str) -> None:
        """Print a line above the display; one that has gone away is nobody's business."""
        with suppress(OSError):
            self._console.print(Text(text), soft_wrap=True)

    def draw(self, now: Standing) -> None:
        """Draw a frame."""
        rows: list[Table | Text] = []
        if now.total:
            bar = Table.grid(padding=(0, 1))
            done = min(now.done, now.total)
            bar.add_row(
                ProgressBar(total=now.total, completed=done, width=min(40, max(10, self._console.width - 30))),
                Text(f"{done:,}/{now.total:,}"),
                Text(f"{done / now.total:.0%}", style="bold"),
            )
            rows.append(bar)
        rows.append(Text(" · ".join(now.counts())))
        rows.append(Text(" · ".join(now.figures()), style="dim"))
        self._live.update(Group(*rows), refresh=True)
