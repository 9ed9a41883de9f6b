"""What drawing a run costs: a second of 500 events and its frames, on a terminal that is not there.

``python benchmarks/display.py [--events 500] [--seconds 20]`` prints the share of one CPU.
"""

import argparse
import io
import time
from decimal import Decimal

from rich.console import Console
from rich.live import Live

from toapis_async.cli.terminal import progress
from toapis_async.cli.terminal.live import LiveDisplay
from toapis_async.cli.terminal.snapshot import Snapshot
from toapis_async.cli.terminal.watching import Watch
from toapis_async.errors import ContentPolicyError
from toapis_async.ports.events import AttemptBegun, AttemptSettled, Event, ItemSaved, TaskFinished
from toapis_async.values.tasks import TaskStatus

FRAMES_PER_SECOND = round(1 / progress._FRAME_SECONDS)  # noqa: SLF001  # the same as the program's


def display() -> LiveDisplay:
    """Make a display that draws into memory, as wide as a terminal."""
    drawn = LiveDisplay()
    console = Console(file=io.StringIO(), force_terminal=True, width=120, color_system="256")
    drawn._console = console  # noqa: SLF001  # nowhere else to draw to
    drawn._live = Live(console=console, auto_refresh=False)  # noqa: SLF001
    return drawn


def second_of_events(count: int, start: int) -> list[Event]:
    """Make the events of a second, four for each item."""
    found: list[Event] = []
    for number in range(start, start + count // 4):
        key = f"item-{number}"
        found += [
            AttemptBegun(at=0.0, key=key, client_business_id=key),
            AttemptSettled(at=0.0, key=key, result="accepted"),
            TaskFinished(at=0.0, key=key, status=TaskStatus.COMPLETED),
            ItemSaved(at=0.0, key=key, files=()),
        ]
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=500, help="a second")
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    watch, screen = Watch(), display()
    seconds = [second_of_events(options.events, options.events * number) for number in range(options.seconds)]
    error = ContentPolicyError("HTTP 422 refused", http_status=422)
    screen.start()
    began = time.process_time()
    for number, events in enumerate(seconds):
        for event in events:
            watch.hear(event)
        watch.failed.add(error)
        for frame in range(FRAMES_PER_SECOND):
            done = number * 125 + frame
            screen.draw(
                Snapshot(
                    total=100_000,
                    saved=done,
                    failed=number,
                    in_flight=200,
                    files_per_second=125.0,
                    items_per_second=125.0,
                    spent_usd=Decimal(done) * Decimal("0.012"),
                    committed_usd=Decimal(done + 200) * Decimal("0.012"),
                    projected_usd=Decimal(1200),
                    reasons=watch.failed.most(),
                    limit="limit: all 200 places in flight are taken",
                    outage=watch.outage.words(),
                )
            )
    spent = time.process_time() - began
    screen.stop()
    print(f"{options.events} events/s, {FRAMES_PER_SECOND} frames/s: {spent / options.seconds:.2%} of one CPU")


if __name__ == "__main__":
    main()
