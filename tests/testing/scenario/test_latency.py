"""The laws of duration."""

import statistics
from random import Random

import pytest

from toapis_async.testing import Constant, LogNormal, Mixture, Scenario, Uniform


def drawn(law, count=4000):
    """Many durations."""
    rng = Random(7)
    return [law.draw(rng) for _ in range(count)]


def test_constant():
    """Always the same."""
    assert set(drawn(Constant(2))) == {2.0}


def test_uniform():
    """Between its bounds."""
    assert 1 <= min(drawn(Uniform(1, 3))) < 1.1 < 2.9 < max(drawn(Uniform(1, 3))) <= 3


def test_log_normal():
    """Half are below the median."""
    assert statistics.median(drawn(LogNormal(20, 0.35))) == pytest.approx(20, rel=0.03)


def test_mixture():
    """Parts come by their weights."""
    slow = [seconds for seconds in drawn(Mixture(((3, Constant(1)), (1, Constant(9))))) if seconds == 9]

    assert len(slow) == pytest.approx(1000, rel=0.1)


def test_a_model_may_have_its_own_law():
    """Others have the scenario's."""
    scenario = Scenario(latency=Constant(1), latencies={"sora-2": Constant(90)})

    assert (scenario.latency_of("sora-2"), scenario.latency_of("other")) == (Constant(90), Constant(1))


@pytest.mark.parametrize("wrong", [lambda: Constant(-1), lambda: LogNormal(0), lambda: Uniform(-1, 2)])
def test_negative_durations_are_refused(wrong):
    """Nothing ends before it begins."""
    with pytest.raises(ValueError, match="must be"):
        wrong()
