"""Lost replies, at gateways that keep our references and at one that does not: who is charged, and how often."""

import asyncio

import attrs
import pytest

from toapis_async.errors import SubmissionUnknownError
from toapis_async.testing import Drop, Fault, Refuse, Scenario

LOSSES = (
    Fault(where="submit", what=Drop(after_acceptance=True), probability=0.10),
    Fault(where="submit", what=Drop(), probability=0.10),
    Fault(where="submit", what=Refuse(reply="html_504", after_acceptance=True), probability=0.05),
    Fault(where="submit", what=Refuse(reply="html_502"), probability=0.05),
    Fault(where="submit", what=Refuse(reply="rate_limited"), probability=0.05),
)
# Three seconds of lag on the clock of the library, which runs 40 times as fast.
LOSSY = Scenario(faults=LOSSES, lookup_lag=3 / 40, files="small")


async def test_lost_replies_are_found_and_nothing_is_paid_twice(journey, counted):
    """One submission in three goes wrong, before or after acceptance: every prompt is charged once and saved."""
    async with journey(LOSSY) as going:
        outcomes, report = await going.run()
        assert {"Saved": going.count} == counted(outcomes)
        assert report.complete
        going.assert_charged_once()
        going.assert_on_disk()
        await going.fetched()


async def test_unknown_stays_unknown_where_references_are_ignored(journey, counted):
    """Where a lookup proves nothing no prompt is charged twice, and each doubt is named in outcome and manifest."""
    async with journey(attrs.evolve(LOSSY, keeps_client_ids=False)) as going:
        outcomes, report = await going.run()
        going.assert_never_charged_twice()
        unknown = [outcome for outcome in outcomes if not outcome.ok]
        assert 0 < len(unknown) < going.count
        assert all(outcome.unknown for outcome in unknown)
        assert len(unknown) == report.unknown == report.unfinished
        assert report.failed == 0
        lines = going.manifest()
        assert {outcome.item.key for outcome in unknown} == {
            key for key, line in lines.items() if line["status"] == "unknown"
        }
        assert going.count == len(lines) == len(outcomes)
        assert all(lines[outcome.item.key]["error"]["type"] == "SubmissionUnknownError" for outcome in unknown)
        going.assert_files(lines.values())


async def test_resubmitting_the_unknown_is_a_choice(journey, counted):
    """The same run resumed keeps its doubts; resumed with on_unknown="resubmit" it ends complete."""
    async with journey(attrs.evolve(LOSSY, keeps_client_ids=False)) as going:
        _, first = await going.run()
        accepted = going.sim.books.accepted
        outcomes, second = await going.run()
        assert first.unknown == second.unknown
        assert accepted == going.sim.books.accepted
        assert {"Saved": going.count - first.unknown, "Unfinished": first.unknown} == counted(outcomes)
        going.sim.gateway.scenario = attrs.evolve(going.sim.gateway.scenario, faults=())
        going.sim.gateway.faults = type(going.sim.gateway.faults)((), 0)
        _, third = await going.run(on_unknown="resubmit")
        assert third.complete
        assert accepted + first.unknown == going.sim.books.accepted
        going.assert_on_disk()


@pytest.mark.parametrize("keeps", [True, False])
async def test_single_calls_never_pay_twice(journey, keeps):
    """A single generate() meets the same losses: an image, or an error that says what is not known."""
    async with journey(attrs.evolve(LOSSY, keeps_client_ids=keeps), count=60) as going, going.client() as client:
        results = await asyncio.gather(
            *(client.images.generate(prompt=prompt) for prompt in going.prompts), return_exceptions=True
        )
        going.assert_never_charged_twice()
        errors = [result for result in results if isinstance(result, Exception)]
        assert all(isinstance(error, SubmissionUnknownError) for error in errors), errors
        if keeps:
            assert errors == []
            going.assert_charged_once()
        else:
            assert errors


async def test_an_echo_is_no_proof_that_lookups_work(journey):
    """A gateway that echoes our references but finds no task by them is not believed: nothing is charged twice."""
    blind = Fault(where="lookup", what=Refuse(reply="task_not_found"))
    async with journey(attrs.evolve(LOSSY, faults=(*LOSSES, blind))) as going:
        _, report = await going.run()
        going.assert_never_charged_twice()
        assert report.unknown == report.unfinished > 0
        assert report.failed == 0
