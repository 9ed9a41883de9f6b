"""Which of a scenario's faults strike a call: counted, and otherwise decided by the seed alone."""

import hashlib
from collections import Counter

import attrs

from toapis_async.errors import ConfigurationError
from toapis_async.testing.gateway.replies.refusals import REFUSALS
from toapis_async.testing.scenario.faults import Fault, Where
from toapis_async.testing.scenario.misbehaviour import Misbehaviour, Refuse

_NONE: tuple[Misbehaviour, ...] = ()


@attrs.define
class FaultPlan:
    """The faults of one scenario and how often each was asked.

    Raises:
        ConfigurationError: a fault names a reply that the gateway does not have.

    """

    faults: tuple[Fault, ...]
    seed: int
    _by_place: dict[Where, list[tuple[int, Fault]]] = attrs.field(factory=dict, init=False)
    _calls: Counter[int] = attrs.field(factory=Counter, init=False)
    _calls_about: Counter[tuple[int, str]] = attrs.field(factory=Counter, init=False)
    struck: Counter[str] = attrs.field(factory=Counter, init=False)
    """How often each kind of misbehaviour happened, by class name."""

    def __attrs_post_init__(self) -> None:
        """Sort the faults by place, so that a place without any costs nothing."""
        for number, fault in enumerate(self.faults):
            if isinstance(fault.what, Refuse) and fault.what.reply not in REFUSALS:
                raise ConfigurationError(
                    f"the gateway has no reply {fault.what.reply!r}", hint="take one of " + ", ".join(REFUSALS)
                )
            self._by_place.setdefault(fault.where, []).append((number, fault))

    def strike(self, where: Where, subject: str) -> tuple[Misbehaviour, ...]:
        """What happens at this call about this prompt; empty when all goes well."""
        candidates = self._by_place.get(where)
        if candidates is None:
            return _NONE
        return tuple(fault.what for number, fault in candidates if self._strikes(number, fault, subject))

    def _strikes(self, number: int, fault: Fault, subject: str) -> bool:
        if fault.match not in subject:
            return False
        self._calls[number] += 1
        self._calls_about[number, subject] += 1
        about = self._calls_about[number, subject]
        count = self._calls[number] if fault.per == "call" else about
        hit = _selected(fault, count) and (
            fault.probability is None or _chance(f"{self.seed}|{number}|{about}|{subject}") < fault.probability
        )
        if hit:
            self.struck[type(fault.what).__name__] += 1
        return hit


def _selected(fault: Fault, count: int) -> bool:
    if fault.nth and count not in fault.nth:
        return False
    if fault.every is not None and count % fault.every:
        return False
    return fault.first is None or count <= fault.first


def _chance(text: str) -> float:
    """Between 0 and 1, always the same for the same text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) / 2.0**64
