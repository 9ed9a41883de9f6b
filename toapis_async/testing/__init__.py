"""Floor 7: the gateway in miniature, for this library's tests and for its users'.

``async with Simulator() as sim`` gives ``sim.base_url``, ``sim.api_key``, ``sim.books`` and ``sim.clock``.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toapis_async.testing.fake_clock import FakeClock
    from toapis_async.testing.gateway.books import Books, BooksEntry
    from toapis_async.testing.scenario.faults import Fault
    from toapis_async.testing.scenario.latency import Constant, LogNormal, Mixture, Uniform
    from toapis_async.testing.scenario.library import SCENARIOS, scenario_named
    from toapis_async.testing.scenario.misbehaviour import (
        Delay,
        Drop,
        Fail,
        ForbiddenUntilLookup,
        HtmlFile,
        InvalidJson,
        MoveUrl,
        Refuse,
        Reply,
        Reset,
        SlowFile,
        Stall,
        StatusWord,
        Truncate,
        WithoutUrl,
        WrongType,
    )
    from toapis_async.testing.scenario.settings import RateHeaders, Scenario
    from toapis_async.testing.scenario.toml_form import scenario_from_toml
    from toapis_async.testing.scenario.webhook_faults import Repeat, StaleTimestamp, WrongSignature
    from toapis_async.testing.serving import serve
    from toapis_async.testing.simulator import Simulator
    from toapis_async.testing.simulator_clock import SimulatorClock

_HOMES = {
    "fake_clock": ("FakeClock",),
    "gateway.books": ("Books", "BooksEntry"),
    "simulator_clock": ("SimulatorClock",),
    "scenario.faults": ("Fault",),
    "scenario.latency": ("Constant", "LogNormal", "Mixture", "Uniform"),
    "scenario.library": ("SCENARIOS", "scenario_named"),
    "scenario.misbehaviour": (
        "Delay", "Drop", "Fail", "ForbiddenUntilLookup", "HtmlFile", "InvalidJson", "MoveUrl", "Refuse", "Reply",
        "Reset", "SlowFile", "Stall", "StatusWord", "Truncate", "WithoutUrl", "WrongType",
    ),
    "scenario.settings": ("RateHeaders", "Scenario"),
    "scenario.toml_form": ("scenario_from_toml",),
    "scenario.webhook_faults": ("Repeat", "StaleTimestamp", "WrongSignature"),
    "serving": ("serve",),
    "simulator": ("Simulator",),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "SCENARIOS",
    "Books",
    "BooksEntry",
    "Constant",
    "Delay",
    "Drop",
    "Fail",
    "FakeClock",
    "Fault",
    "ForbiddenUntilLookup",
    "HtmlFile",
    "InvalidJson",
    "LogNormal",
    "Mixture",
    "MoveUrl",
    "RateHeaders",
    "Refuse",
    "Repeat",
    "Reply",
    "Reset",
    "Scenario",
    "Simulator",
    "SimulatorClock",
    "SlowFile",
    "StaleTimestamp",
    "Stall",
    "StatusWord",
    "Truncate",
    "Uniform",
    "WithoutUrl",
    "WrongSignature",
    "WrongType",
    "scenario_from_toml",
    "scenario_named",
    "serve",
]


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for, so that the fake clock alone costs no web server."""
    if name not in _HOME_OF:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    found = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = found
    return found
