"""Each named scenario of the simulator with the library, judged by the simulator's books."""

from collections import Counter
from random import Random

import attrs
import pytest

from toapis_async.errors import InsufficientQuotaError
from toapis_async.testing import SCENARIOS, Constant, LogNormal, Uniform

# Those in which every item ends as an image; the others have tests of their own below.
COMPLETE = (
    "calm", "instant", "realistic", "rate-limited", "rate-limited-silent", "busy", "lost-replies", "flaky-queries",
    "flaky-files", "slow-files", "short-links", "slow-tasks", "odd-words", "overloaded", "lossy-webhooks",
)  # fmt: skip
APART = ("no-client-ids", "stuck-tasks", "failing-tasks", "broke", "bad-day")
COUNT, SPEED = 60, 25.0
SPEEDS = {"slow-tasks": 150.0, "stuck-tasks": 75.0}


def hurried(name, speed=SPEED):
    """A named scenario whose own times pass as fast as the library's."""
    scenario = SCENARIOS[name]
    latency = scenario.latency
    if isinstance(latency, Constant):
        latency = Constant(latency.seconds / speed)
    elif isinstance(latency, Uniform):
        latency = Uniform(latency.low / speed, latency.high / speed)
    elif isinstance(latency, LogNormal):
        latency = LogNormal(latency.median / speed, latency.sigma)
    return attrs.evolve(
        scenario,
        latency=latency,
        lookup_lag=scenario.lookup_lag / speed,
        tier=_hurried(scenario.tier, speed),
        files="small",
    )


def _hurried(tier, speed):
    if tier is None:
        return None
    return attrs.evolve(
        tier, submit_per_second=tier.submit_per_second * speed, query_per_second=tier.query_per_second * speed
    )


def test_every_scenario_has_its_journey():
    """A scenario that is added to the library needs a journey here."""
    assert set(SCENARIOS) == {*COMPLETE, *APART}


async def test_every_prompt_becomes_one_paid_image(journey, at_once):
    """Whatever goes wrong in a scenario, every prompt is charged once and ends as a file. (All of them at a time.)"""

    async def go(name):
        speed = SPEEDS.get(name, SPEED)
        async with journey(hurried(name, speed), count=COUNT, speed=speed, name=name) as going:
            outcomes, report = await going.run(client={"rate_limits": "auto", "polling": None})
            assert report.complete, [str(outcome.error) for outcome in outcomes if not outcome.ok]
            going.assert_charged_once()
            going.assert_on_disk()
            await going.fetched()
            books = going.sim.books
            assert (books.accepted, books.unfinished) == (COUNT, 0)
            assert books.requests["file"] > 0 == books.with_key["file"]
            assert books.posts >= books.accepted
            if going.sim.scenario.max_unfinished:
                assert books.max_unfinished <= going.sim.scenario.max_unfinished

    await at_once({name: go(name) for name in COMPLETE})


async def test_doubts_stay_doubts_without_references(journey):
    """no-client-ids: nothing is charged twice, and what is not saved is named as unknown."""
    async with journey(hurried("no-client-ids"), count=COUNT, speed=SPEED) as going:
        outcomes, report = await going.run()
        going.assert_never_charged_twice()
        assert report.saved + report.unknown == COUNT
        assert report.unknown == sum(not outcome.ok for outcome in outcomes) > 0


async def test_stuck_tasks_hold_nobody_up(journey):
    """stuck-tasks: what never ends is unfinished after its patience, and charged once."""
    speed = SPEEDS["stuck-tasks"]
    async with journey(hurried("stuck-tasks", speed), count=COUNT, speed=speed) as going:
        _, report = await going.run(patience_seconds=60.0, max_concurrency=COUNT // 4)
        assert report.unfinished == going.sim.books.unfinished > 0
        assert report.saved + report.unfinished == COUNT
        going.assert_charged_once()


async def test_failed_tasks_are_named_and_paid_back(journey):
    """failing-tasks: each failure is an outcome with its task, was refunded, and is not bought again."""
    async with journey(hurried("failing-tasks"), count=COUNT, speed=SPEED) as going:
        outcomes, report = await going.run()
        failed = [outcome for outcome in outcomes if not outcome.ok]
        assert report.failed == len(failed) == going.sim.books.failed > 0
        assert {type(outcome.error).__name__ for outcome in failed} <= {"TaskFailedError", "ContentPolicyError"}
        assert all(outcome.task is not None for outcome in failed)
        assert going.sim.books.accepted == COUNT
        assert going.sim.books.net_usd == report.cost_usd
        await going.run()
        assert going.sim.books.accepted == COUNT


async def test_an_empty_balance_ends_the_run_with_what_was_paid(journey):
    """broke: what the balance paid for is saved, the refusal is raised, and money brings the rest."""
    async with journey(hurried("broke"), count=COUNT, speed=SPEED) as going:
        with pytest.raises(InsufficientQuotaError):
            await going.run(max_concurrency=10)
        paid = going.sim.books.accepted
        assert 0 < paid < COUNT
        assert Counter(line["status"] for line in going.manifest().values())["saved"] == paid
        going.sim.account.balance_usd = None
        _, report = await going.run()
        assert (report.skipped, report.saved) == (paid, COUNT - paid)
        going.assert_charged_once()
        going.assert_on_disk()


async def test_a_bad_day_ends_well(journey):
    """bad-day: everything at once; what is not saved has failed at the gateway, and nobody paid for it."""
    async with journey(hurried("bad-day"), count=2 * COUNT, speed=SPEED) as going:
        outcomes, report = await going.run(client={"random": Random(5)})
        failed = [outcome for outcome in outcomes if not outcome.ok]
        assert {type(outcome.error).__name__ for outcome in failed} <= {"TaskFailedError"}
        assert report.saved + len(failed) == 2 * COUNT
        going.assert_never_charged_twice()
        going.assert_files(going.manifest().values())
