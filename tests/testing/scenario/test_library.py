"""The named scenarios."""

import pytest

from toapis_async.errors import ConfigurationError
from toapis_async.testing import SCENARIOS, scenario_named

NEEDED = {
    "calm", "rate-limited", "lost-replies", "flaky-files", "flaky-queries", "bad-day", "no-client-ids", "slow-tasks",
    "failing-tasks", "busy",
}  # fmt: skip


def test_the_library_has_what_was_promised():
    """Names that documentation and tests rely on."""
    assert set(SCENARIOS) >= NEEDED


@pytest.mark.parametrize("name", SCENARIOS)
async def test_each_runs_and_says_what_it_is_for(running, name):
    """It has a summary of one line, and the simulator starts with it."""
    scenario = scenario_named(name)
    assert (scenario.name, 10 < len(scenario.summary) < 100) == (name, True)

    async with running(scenario) as (_, caller):
        assert (await caller.call("GET", "/v1/models"))[0] == 200


def test_far_from_every_name_the_list_is_shown():
    """The message lists what there is."""
    with pytest.raises(ConfigurationError, match="calm, instant"):
        scenario_named("zzz")
