"""Whether events can be relied on to tell of the ends of tasks."""

import attrs

_MEMORY = 0.1  # the weight of the latest end among those before it
_TRUSTED_FROM = 0.5


@attrs.define
class EventTrust:
    """How many ends of tasks were told by an event, of those that ended of late.

    Nothing is trusted before the first event; a fifth of events lost is borne; when they stop, seven ends that nobody
    told of take the trust away, and as many that are told give it back.
    """

    _told: float = 0.0
    _heard_any: bool = False

    @property
    def trusted(self) -> bool:
        """Whether looks may be few."""
        return self._told >= _TRUSTED_FROM

    def told(self) -> None:
        """Hear that an event came."""
        self._told = self._told + _MEMORY * (1.0 - self._told) if self._heard_any else 1.0
        self._heard_any = True

    def missed(self) -> None:
        """Hear that a look found the end of a task of which no event had come."""
        self._told *= 1.0 - _MEMORY
