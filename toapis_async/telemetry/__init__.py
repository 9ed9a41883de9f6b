"""What a client does, as figures and as traces: plain counters, and OpenTelemetry for whoever has it."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toapis_async.telemetry.metrics import Metrics
    from toapis_async.telemetry.open_telemetry import OpenTelemetry

__all__ = ["Metrics", "OpenTelemetry"]

_HOMES = {"Metrics": "metrics", "OpenTelemetry": "open_telemetry"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        raise ImportError(f"{name} needs {error.name}: pip install 'toapis-async[otel]'") from error
    globals()[name] = value
    return value
