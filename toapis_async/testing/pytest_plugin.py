"""The simulator as a pytest fixture: ``pytest_plugins = ["toapis_async.testing.pytest_plugin"]`` in a conftest."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from toapis_async.testing.scenario.settings import Scenario
    from toapis_async.testing.simulator import Simulator


@pytest.fixture
def toapis_simulator() -> "Callable[..., Simulator]":
    """A maker of simulators: ``async with toapis_simulator("bad-day", speed=20) as sim:``.

    The fixture hands out the maker and the test enters it, so that the simulator lives in the test's own task
    whatever plugin runs the event loop. Pictures are small unless the scenario is given as a value.
    """
    import attrs  # noqa: PLC0415

    from toapis_async.testing.scenario.library import scenario_named  # noqa: PLC0415
    from toapis_async.testing.simulator import Simulator  # noqa: PLC0415

    def make(scenario: "Scenario | str" = "calm", *, tls: bool = False, seed: int = 0, speed: float = 1.0) -> Simulator:
        if isinstance(scenario, str):
            scenario = attrs.evolve(scenario_named(scenario), files="small")
        return Simulator(scenario, tls=tls, seed=seed, speed=speed)

    return make
