"""What is said of a run is so: counts and money agree with the gateway's books, at every refresh and at the end."""

import asyncio
import itertools
from contextlib import asynccontextmanager
from decimal import Decimal

import attrs
import pytest

from toapis_async import ImageRequest
from toapis_async.cli.terminal.progress import Progress
from toapis_async.cli.terminal.streams import Terminal
from toapis_async.cli.terminal.watching import Watch
from toapis_async.errors import AuthenticationError, BudgetExceededError, DownloadError, StorageError
from toapis_async.storage.files.atomic_files import OutputDirectory
from toapis_async.testing import Fail, Fault, Refuse, Scenario, Uniform

CALM = Scenario(latency=Uniform(0.05, 0.2), files="small")
EACH = Decimal("0.012")


@asynccontextmanager
async def sampled(going, session, *, total):
    """Look at the display's figures every few milliseconds, beside the books of the same instant."""
    watch = Watch()
    progress = Progress(session, Terminal(quiet=True), total=total, watch=watch)
    samples = []

    def sample():
        samples.append((progress.snapshot(), attrs.evolve(going.sim.books)))

    async def look():
        while True:
            sample()
            await asyncio.sleep(0.005)

    looking = asyncio.create_task(look())
    try:
        yield samples
    finally:
        looking.cancel()
        sample()


def assert_agree(samples, *, in_flight, doubts=False):
    """At every instant the display says no more than the books, and money never goes back."""
    for now, books in samples:
        net = books.charged_usd - books.refunded_usd
        assert now.spent_usd <= net, "more is said to be spent than was charged"
        assert now.committed_usd >= net, "the gateway has charged what is not said to be committed"
        assert now.committed_usd - net <= in_flight * EACH, "more is committed than can be on its way"
        assert now.projected_usd >= now.committed_usd
        assert now.saved <= books.completed
        assert now.cap_usd is None or now.committed_usd <= now.cap_usd
        assert now.total is None or now.done + now.unfinished + now.not_sent + now.skipped <= now.total
    for (before, _), (after, _) in itertools.pairwise(samples):
        assert after.spent_usd >= before.spent_usd
        assert doubts or after.committed_usd >= before.committed_usd
        assert after.done >= before.done


async def test_the_display_agrees_with_the_books_over_a_cap_and_a_resume(journey):
    """A capped run and its resume: figures agree at every refresh, and the second run counts what the first spent."""
    async with journey(CALM, count=40) as going, going.client() as client:
        async with (
            client.session(going.directory, max_concurrency=8, max_cost_usd=20 * EACH) as session,
            sampled(going, session, total=40) as samples,
        ):
            report = await session.run(going.requests())
        assert isinstance(report.stopped_by, BudgetExceededError)
        assert_agree(samples, in_flight=8)
        assert report.spent_usd == going.sim.books.net_usd == 20 * EACH

        async with client.session(going.directory, max_concurrency=8) as session:
            assert session.report.spent_usd == 20 * EACH
            async with sampled(going, session, total=40) as samples:
                report = await session.run(going.requests())
        assert_agree(samples, in_flight=8)
        assert (report.saved, report.skipped) == (20, 20)
        assert report.spent_usd == report.committed_usd == going.sim.books.net_usd
        assert report.cost_usd == 20 * EACH


async def test_the_display_agrees_with_the_books_over_an_outage(journey):
    """The gateway fails for a while and the file host too: nothing is ended, and the figures agree throughout."""
    out = (
        Fault(where="submit", what=Refuse(reply="html_502"), nth=tuple(range(6, 12))),
        Fault(where="file", what=Refuse(reply="html_502"), nth=tuple(range(5, 120))),
    )
    async with (
        journey(attrs.evolve(CALM, faults=out), count=30, speed=200) as going,
        going.client() as client,
        client.session(going.directory, max_concurrency=6) as session,
        sampled(going, session, total=30) as samples,
    ):
        report = await session.run(going.requests())

    assert_agree(samples, in_flight=6, doubts=True)
    assert (report.saved, report.unfinished, report.stopped_by) == (30, 0, None)
    assert max(now.unfinished for now, _ in samples) == 0


async def test_a_gateway_that_answers_nothing_holds_every_item(journey):
    """A gateway behind a broken front: what was sent is asked for afterwards, and nothing ends meanwhile."""
    broken = Refuse(reply="html_502")
    out = (
        Fault(where="submit", what=broken, nth=tuple(range(9, 15))),
        Fault(where="lookup", what=broken, first=60),
        Fault(where="models", what=broken, first=5),
    )
    async with (
        journey(attrs.evolve(CALM, faults=out), count=40, speed=400) as going,
        going.client() as client,
        client.session(going.directory, max_concurrency=6) as session,
        sampled(going, session, total=40) as samples,
    ):
        report = await session.run(going.requests())

    assert (report.saved, report.unfinished, report.stopped_by) == (40, 0, None)
    assert max(now.unfinished for now, _ in samples) == 0
    going.assert_charged_once()


async def test_a_file_host_that_stays_away_stops_the_run(journey):
    """After minutes of nothing the run stops with that reason, and all that is paid for is said to be unfinished."""
    gone = Fault(where="file", what=Refuse(reply="html_502"))
    async with journey(attrs.evolve(CALM, faults=(gone,)), count=60, speed=1000) as going, going.client() as client:
        async with client.session(going.directory, max_concurrency=6, download_workers=4) as session:
            with pytest.raises(DownloadError):
                await session.run(going.requests())

        report, books = session.report, going.sim.books
        assert isinstance(report.stopped_by, DownloadError)
        assert report.paid_unfinished == books.accepted > 0
        assert (report.saved, report.failed) == (0, 0)


async def test_after_a_disk_refusal_what_is_paid_for_is_said_to_be(journey, monkeypatch):
    """Of what was accepted nothing is called not sent: not in the report, and not in the manifest."""

    async def refuse(self, *_, **__):
        raise StorageError("The disk is full.", path="out", hint="Make room and resume.")

    async with journey(CALM, count=200) as going, going.client() as client:
        with monkeypatch.context() as patched:
            patched.setattr(OutputDirectory, "publish", refuse)
            async with client.session(going.directory, max_concurrency=51) as session:
                with pytest.raises(StorageError):
                    await session.run(going.requests())
        report, accepted = session.report, going.sim.books.accepted

        assert accepted > 0
        assert report.paid_unfinished + report.unknown == accepted
        assert report.committed_usd == accepted * EACH
        lines = going.manifest().values()
        assert sum(line["status"] == "unfinished" for line in lines) == report.paid_unfinished


async def test_a_wrong_key_leaves_nothing_unfinished(journey):
    """Nothing was accepted, so nothing is unfinished, committed or spent."""
    async with (
        journey(CALM, count=20) as going,
        going.client(api_key="sk-of-somebody-else") as client,
        client.session(going.directory, max_concurrency=5) as session,
    ):
        with pytest.raises(AuthenticationError):
            await session.run(going.requests())

    report = session.report
    assert (report.unfinished, report.failed, report.saved) == (0, 0, 0)
    assert report.not_sent >= 1
    assert (report.spent_usd, report.committed_usd) == (0, 0)
    assert [line["status"] for line in going.manifest().values()] == ["not_sent"]


async def test_a_failed_task_that_was_charged_is_spent_in_every_later_run(journey):
    """What a failed task has cost is not forgotten by the next run of the directory."""
    charged = Fault(where="task", what=Fail(refund=False), match="number 0:")
    async with journey(attrs.evolve(CALM, faults=(charged,)), count=4) as going, going.client() as client:
        for _ in range(2):
            async with client.session(going.directory) as session:
                report = await session.run(going.requests())
            assert report.failed == 1
            assert report.spent_usd == going.sim.books.net_usd == 4 * EACH


async def test_costs_that_are_never_told_stay_committed(journey):
    """Where the gateway tells no costs nothing is called spent, in this run and the next."""
    async with journey(attrs.evolve(CALM, billing="never"), count=5) as going, going.client() as client:
        for _ in range(2):
            async with client.session(going.directory) as session:
                report = await session.run(going.requests())
            assert (report.spent_usd, report.committed_usd) == (0, 5 * EACH)


async def test_fewer_files_than_asked_for_are_a_shortfall(journey, monkeypatch):
    """Three files of four: saved with one missing, in outcome, report and manifest, and again when skipped."""
    request = ImageRequest("four foxes", model="gpt-image-2", n=4)
    async with journey(CALM, count=0) as going, going.client() as client:
        retrieve = type(client._downloader).save

        async def short(self, task, *more, **named):
            return await retrieve(self, attrs.evolve(task, files=task.files[:3]), *more, **named)

        monkeypatch.setattr(type(client._downloader), "save", short)
        for saved, skipped in ((1, 0), (0, 1)):
            async with client.session(going.directory) as session:
                outcomes = [outcome async for outcome in session.stream([request])]
            (outcome,), report = outcomes, session.report
            assert (len(outcome.files), outcome.missing) == (3, 1)
            assert (report.saved, report.skipped, report.short, report.complete) == (saved, skipped, 1, False)
        (line,) = going.manifest().values()
        assert (line["status"], line["missing"]) == ("saved", 1)
