"""A scenario as a TOML file."""

from decimal import Decimal

import pytest

from toapis_async.errors import ConfigurationError
from toapis_async.testing import (
    SCENARIOS,
    Constant,
    Drop,
    Fault,
    LogNormal,
    Mixture,
    RateHeaders,
    Reply,
    Scenario,
    Stall,
    Uniform,
    scenario_from_toml,
)
from toapis_async.values.limits import TIERS, RateLimits


def test_a_whole_scenario():
    """Every kind of value has its form."""
    text = """
        name = "tuesday"
        summary = "as seen last week"
        latency = {median = 12, sigma = 0.4}
        tier = "vip"
        balance_usd = 0.12
        words = ["pending", "processing"]
        files = "small"
        rate_headers = {limit = "minute"}

        [latencies]
        sora-2 = 90
        wan3 = {low = 60, high = 120}
        fast = [{weight = 3, seconds = 1}, {median = 30}]

        [[faults]]
        where = "submit"
        what = "drop"
        after_acceptance = true
        probability = 0.1

        [[faults]]
        where = "file"
        what = "reply"
        http_status = 503
        headers = [["X-A", "b"]]
        nth = [1, 3]
        per = "prompt"

        [[faults]]
        where = "task"
        what = "stall"
        seconds = inf
        match = "stuck"
    """

    assert scenario_from_toml(text) == Scenario(
        name="tuesday",
        summary="as seen last week",
        latency=LogNormal(12, 0.4),
        tier=TIERS["vip"],
        balance_usd=Decimal("0.12"),
        words=("pending", "processing"),
        files="small",
        rate_headers=RateHeaders(limit="minute"),
        latencies={
            "sora-2": Constant(90),
            "wan3": Uniform(60, 120),
            "fast": Mixture(((3.0, Constant(1)), (1.0, LogNormal(30)))),
        },
        faults=(
            Fault(where="submit", what=Drop(after_acceptance=True), probability=0.1),
            Fault(where="file", what=Reply(http_status=503, headers=(("X-A", "b"),)), nth=(1, 3), per="prompt"),
            Fault(where="task", what=Stall(seconds=float("inf")), match="stuck"),
        ),
    )


def test_a_named_scenario_can_be_the_base():
    """What is not said stays as it is there."""
    scenario = scenario_from_toml('base = "bad-day"\nfiles = "small"')

    assert (scenario.name, scenario.files, scenario.faults) == ("custom", "small", SCENARIOS["bad-day"].faults)


def test_nothing_is_the_calm_one():
    """An empty file is a scenario too."""
    assert scenario_from_toml("").latency == SCENARIOS["calm"].latency


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('tier = "none"', None),
        (
            "tier = {submit_per_second = 1, submit_burst = 2, query_per_second = 3, query_burst = 4}",
            RateLimits(submit_per_second=1, submit_burst=2, query_per_second=3, query_burst=4),
        ),
    ],
)
def test_tiers(text, expected):
    """A name, none, or numbers of one's own."""
    assert scenario_from_toml(text).tier == expected


def test_rate_headers_can_be_left_out():
    """False sends none."""
    assert scenario_from_toml("rate_headers = false").rate_headers is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "no TOML"),
        ("latencyy = 1", "did you mean 'latency'"),
        ("latency = true", "seconds"),
        ("latency = {median = 1, sigm = 2}", "sigma"),
        ("latency = {low = 1}", "low, high"),
        ("latency = [1]", "a table"),
        ("latency = [{weight = 0, seconds = 1}]", "above zero"),
        ("latency = -1", "fit"),
        ("latencies = 1", "a table"),
        ('tier = "gold"', "svip"),
        ("tier = {submit_per_second = 1}", "four numbers"),
        ("rate_headers = {limits = 1}", "limit, reset"),
        ("base = 1", "name of a scenario"),
        ('base = "clam"', "did you mean 'calm'"),
        ("faults = 1", "faults"),
        ("faults = [1]", "a table"),
        ('[[faults]]\nwhere = "file"', "fault 1: what"),
        ('[[faults]]\nwhere = "file"\nwhat = "dorp"', "did you mean 'drop'"),
        ('[[faults]]\nwhere = "file"\nwhat = "drop"\nfrist = 1', "did you mean 'first'"),
        ('[[faults]]\nwhere = "nowhere"\nwhat = "drop"', "fault 1"),
        ('[[faults]]\nwhere = "file"\nwhat = "drop"\nprobability = 2', "fault 1"),
        ('[[faults]]\nwhere = "submit"\nwhat = "truncate"', "cannot happen"),
        ('[[faults]]\nwhat = "drop"', "fault 1"),
        ('balance_usd = "much"', "fit"),
        ("price_usd = []", "fit"),
    ],
)
def test_what_does_not_fit_is_named(text, message):
    """Each mistake is answered with what was meant or what is allowed."""
    with pytest.raises(ConfigurationError, match=message):
        scenario_from_toml(text)
