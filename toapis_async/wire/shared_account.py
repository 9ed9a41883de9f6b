"""The shared state of an account as bytes, for whatever keeps it between workers.

The format is this version's own: what another version wrote is read as nothing, and learned again.
"""

import json
from collections import deque
from typing import Any

import cattrs

from toapis_async.policy.pace.adaptive_rate import AdaptiveRate, Anchor, Phase, RateChange
from toapis_async.policy.pace.pacing import Bucket
from toapis_async.policy.pace.refill import RefillMeter
from toapis_async.policy.pace.refusal_evidence import RefusalEvidence
from toapis_async.policy.pace.sharing.shared_account import SharedAccount

_CHANGES = 20  # of a rate, kept

# What is no plain number in the classes that are no attrs classes.
_Kept = AdaptiveRate | Bucket
_PARTS: dict[type[_Kept], dict[str, Any]] = {
    Bucket: {"_rate": AdaptiveRate, "_meter": RefillMeter},
    AdaptiveRate: {
        "_anchor": Anchor | None,
        "_evidence": RefusalEvidence,
        "_phase": Phase,
        "history": list[RateChange],
    },
}
_FORMAT = sorted(f"{kind.__name__}.{name}" for kind in _PARTS for name in kind.__slots__)

_converter = cattrs.Converter()


def _taken_apart(value: _Kept) -> dict[str, Any]:
    parts = _PARTS[type(value)]
    apart = {name: getattr(value, name) for name in type(value).__slots__}
    if "history" in apart:
        apart["history"] = list(apart["history"])[-_CHANGES:]
    return {name: _converter.unstructure(part, parts.get(name)) for name, part in apart.items()}


def _put_together(data: dict[str, Any], kind: type[_Kept]) -> _Kept:
    parts = _PARTS[kind]
    made = object.__new__(kind)
    for name in kind.__slots__:
        part = _converter.structure(data[name], parts[name]) if name in parts else data[name]
        setattr(made, name, deque(part, maxlen=200) if name == "history" else part)
    return made


for _kind in _PARTS:
    _converter.register_unstructure_hook(_kind, _taken_apart)
    _converter.register_structure_hook(_kind, _put_together)


def account_bytes(account: SharedAccount) -> bytes:
    """Write the state down."""
    return json.dumps({"format": _FORMAT, "account": _converter.unstructure(account)}, separators=(",", ":")).encode()


def account_from(data: bytes | None) -> SharedAccount | None:
    """Read the state; None where there is none, or none that this version can read."""
    try:
        read = json.loads(data or b"null")
        if not isinstance(read, dict) or read.get("format") != _FORMAT:
            return None
        return _converter.structure(read["account"], SharedAccount)
    except (ValueError, KeyError, TypeError, AttributeError, cattrs.BaseValidationError):
        return None
