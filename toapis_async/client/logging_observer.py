"""What happens, in the log: a line for whatever somebody who looks into a slow or broken run wants to see.

No prompt, no key and no word of the gateway is in any line: errors are named by kind and status, items by the ids that
their user gave them.
"""

import logging
from collections.abc import Callable, Mapping

from toapis_async.errors import ToAPIsError
from toapis_async.ports.events import (
    AttemptBegun,
    AttemptSettled,
    CallBegun,
    CallEnded,
    Event,
    HeldUp,
    ItemFailed,
    ItemSaved,
    ItemSkipped,
    ItemUnfinished,
    LimitChanged,
    TaskFinished,
    TaskLate,
    TaskLookedAt,
    TransferBegun,
    TransferDone,
    TransferRetried,
)
from toapis_async.values.tasks import TaskStatus

ROOT = "toapis_async"

logger: logging.Logger = logging.getLogger(f"{ROOT}.events")
# Whoever sets up no logging is not written to on stderr.
logger.addHandler(logging.NullHandler())

# The gravest line that each event can become; what is not here never passes DEBUG.
_GRAVEST: dict[Callable[..., Event], int] = {
    AttemptBegun: logging.INFO,
    AttemptSettled: logging.WARNING,
    HeldUp: logging.INFO,
    TaskLookedAt: logging.INFO,
    TaskLate: logging.WARNING,
    TaskFinished: logging.WARNING,
    TransferRetried: logging.WARNING,
    LimitChanged: logging.INFO,
    ItemFailed: logging.WARNING,
    ItemUnfinished: logging.WARNING,
}


def wanted(event: Callable[..., Event], facts: Mapping[str, object]) -> bool:
    """Whether a line of an event could be written at all, given its class and what it would be made of."""
    level = _GRAVEST.get(event, logging.DEBUG)
    well = facts.get("result") == "accepted" or facts.get("status") is TaskStatus.COMPLETED
    return logger.isEnabledFor(logging.DEBUG if well else level)


def log(event: Event, /) -> None:
    """Write the event's line; an observer like any other."""
    level, line = _line(event)
    if logger.isEnabledFor(level):
        logger.log(level, "%s: %s", _whose(event), line())


def write_to_stderr(level: int) -> None:
    """Show lines of that level and above, on stderr unless the program has set up logging of its own."""
    root = logging.getLogger(ROOT)
    root.setLevel(level)
    if not root.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        root.addHandler(handler)


def _line(event: Event) -> tuple[int, Callable[[], str]]:
    """Give the level of an event's line, and what makes the line once it is known to be wanted."""
    match event:
        case AttemptBegun(attempt=attempt):
            again = attempt is not None and attempt > 1
            return (logging.INFO if again else logging.DEBUG), lambda: f"attempt {attempt} of {event.model}"
        case AttemptSettled(result=result, error=error):
            level = {"accepted": logging.DEBUG, "in_doubt": logging.WARNING}.get(result, logging.INFO)
            return level, lambda: f"{result.replace('_', ' ')}{_because(error)}"
        case HeldUp(limit=limit, seconds=seconds, error=error):
            level = logging.DEBUG if error is None else logging.INFO
            return level, lambda: f"held up by the {limit} limit{_for(seconds)}{_because(error)}"
        case LimitChanged():
            return logging.INFO, lambda: f"{event.limit} from {event.before:g} to {event.after:g}: {event.why}"
        case TaskLookedAt() | TaskLate() | TaskFinished():
            return _task_line(event)
        case TransferBegun() | TransferRetried() | TransferDone():
            return _transfer_line(event)
        case _:
            return _item_line(event)


def _task_line(event: TaskLookedAt | TaskLate | TaskFinished) -> tuple[int, Callable[[], str]]:
    match event:
        case TaskLookedAt(status=status, error=error):
            level = logging.DEBUG if error is None else logging.INFO
            return level, lambda: f"looked at, {status or 'not seen'}{_because(error)}"
        case TaskLate():
            return logging.WARNING, lambda: "late; it is looked at slowly from here on, if at all"
        case TaskFinished(status=status):
            level = logging.WARNING if status is TaskStatus.FAILED else logging.DEBUG
            return level, lambda: f"{status}{_for(event.seconds)}"


def _transfer_line(event: TransferBegun | TransferRetried | TransferDone) -> tuple[int, Callable[[], str]]:
    what = f"file {event.index + 1} from {event.host!a}"
    match event:
        case TransferRetried(error=error):
            return logging.WARNING, lambda: f"{what} broke and is fetched again{_because(error)}"
        case TransferDone():
            return logging.DEBUG, lambda: f"{what} fetched, {event.bytes} bytes{_for(event.seconds)}"
        case _:
            return logging.DEBUG, lambda: f"{what} is fetched"


def _item_line(event: Event) -> tuple[int, Callable[[], str]]:
    match event:
        case ItemFailed(error=error):
            return logging.WARNING, lambda: f"failed{_because(error)}"
        case ItemUnfinished(error=error):
            return logging.WARNING, lambda: f"unfinished{_because(error)}"
        case ItemSaved(files=files) | ItemSkipped(files=files):
            word = "saved" if isinstance(event, ItemSaved) else "was there already"
            return logging.DEBUG, lambda: f"{word}, {len(files)} files"
        case CallEnded(verb=verb, error=error):
            return logging.DEBUG, lambda: f"{verb} has ended{_because(error)}"
        case CallBegun(verb=verb):
            return logging.DEBUG, lambda: f"{verb} has begun"
        case _:
            return logging.DEBUG, lambda: type(event).__name__


def _whose(event: Event) -> str:
    """Name what it is about; a key that we made has words of the prompt in it."""
    # What stands in a session's input may be anything.
    own = event.key is not None and getattr(event.request, "id", None) == event.key
    names = [f"item {event.key!a:.120}"] if own else []
    if event.task_id is not None:
        names.append(f"task {event.task_id!a:.120}")
    return ", ".join(names) or "a submission"


def _because(error: ToAPIsError | None) -> str:
    if error is None:
        return ""
    status = getattr(error, "http_status", None)
    return f" ({type(error).__name__}{f', HTTP {status}' if status else ''})"


def _for(seconds: float | None) -> str:
    return "" if seconds is None else f" after {seconds:.2f} s"
