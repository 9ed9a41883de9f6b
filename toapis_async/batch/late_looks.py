"""How a task that has outlasted its patience is looked at."""

import attrs

LATE_INTERVAL_SECONDS = 60.0


@attrs.frozen
class SlowLooks:
    """Every so many seconds, whatever is known of such tasks."""

    interval_seconds: float

    @classmethod
    def after(cls, patience_seconds: float) -> "SlowLooks":
        """Make the plan: every minute, or a tenth of a patience that is shorter than ten minutes."""
        return cls(min(LATE_INTERVAL_SECONDS, patience_seconds / 10))

    def next_delay(self, elapsed: float, random: object) -> float:
        """Return the seconds to the next look."""
        return self.interval_seconds
