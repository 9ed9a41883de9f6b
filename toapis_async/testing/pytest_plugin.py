"""The simulator for pytest: the fixture ``toapis_simulator``, there once the package is installed."""

import inspect
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
    whatever plugin runs the event loop. Pictures are small unless the scenario is given as a value. Further arguments
    are those of ``Simulator``.
    """
    # Who does not use the fixture pays nothing for it.
    import attrs  # noqa: PLC0415

    from toapis_async.testing.scenario.library import scenario_named  # noqa: PLC0415
    from toapis_async.testing.simulator import Simulator  # noqa: PLC0415

    def make(
        scenario: "Scenario | str" = "calm",
        *,
        tls: bool = False,
        seed: int = 0,
        speed: float = 1.0,
        file_hosts: tuple[str, ...] = (),
    ) -> Simulator:
        if isinstance(scenario, str):
            scenario = attrs.evolve(scenario_named(scenario), files="small")
        return Simulator(scenario, tls=tls, seed=seed, speed=speed, file_hosts=file_hosts)

    return make


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an async test that uses the fixture and that no other plugin runs.

    pytest-asyncio in strict mode leaves alone what is not marked, and without any plugin pytest refuses; plugins that
    do run a test have made it a plain function, or run it themselves, before this is asked.
    """
    if "toapis_simulator" not in pyfuncitem.fixturenames or not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    import asyncio  # noqa: PLC0415

    wanted = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: value for name, value in pyfuncitem.funcargs.items() if name in wanted}
    asyncio.run(pyfuncitem.obj(**arguments))
    return True
