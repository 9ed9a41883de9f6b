"""How often a task that has outlasted its patience is looked at."""

_LONGEST_SECONDS = 60.0


def late_interval_seconds(patience_seconds: float) -> float:
    """Return every minute, or a tenth of a patience that is shorter than ten minutes."""
    return min(_LONGEST_SECONDS, patience_seconds / 10)
