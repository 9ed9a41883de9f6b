"""For how long what does not answer is waited for."""

from random import Random

import pytest

from toapis_async.policy.network.outage import DRAIN_SECONDS, drain_goes_on, hold_seconds


def test_the_waits_grow_to_a_bound():
    """From 2 s to 20 s, spread by a quarter."""
    waits = [hold_seconds(tries, random=Random(tries)) for tries in range(40)]

    assert 1.5 <= waits[0] <= 2.5
    assert max(waits) <= 25.0
    assert min(waits[5:]) >= 15.0


@pytest.mark.parametrize(
    ("silent_seconds", "goes_on"), [(0.0, True), (DRAIN_SECONDS - 0.01, True), (DRAIN_SECONDS, False), (60.0, False)]
)
def test_a_drain_goes_on_while_there_may_be_an_answer(silent_seconds, goes_on):
    """It ends when the gateway has been silent for as long as a run that is to end waits."""
    assert drain_goes_on(silent_seconds) is goes_on
