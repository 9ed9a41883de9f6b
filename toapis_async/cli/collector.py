"""Python's cyclic collector in a process that is the program's own; the library never touches it.

A run makes hardly any cycles, and has thousands of items in flight, which the collector walks again and again for
nothing. What is measured is in docs/measuring.md.
"""

import gc

_THRESHOLDS = (50_000, 20, 50)
"""Containers made and not freed before a look at the young ones; such looks before one at the middle-aged; and so on.
At 10 kB of containers for an item in flight the young ones are a few megabytes."""


def tune() -> None:
    """Let the collector look seldom; for a process that nobody else runs in."""
    gc.set_threshold(*_THRESHOLDS)


def set_start_aside() -> None:
    """Let it never look again at what was imported so far; does nothing in a process that was not tuned."""
    if gc.get_threshold() == _THRESHOLDS:
        gc.freeze()
