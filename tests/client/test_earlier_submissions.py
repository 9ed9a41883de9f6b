"""Requests that may have been sent before, by an earlier owner of the job."""

import asyncio

import pytest

from toapis_async import ImageRequest, Saved
from toapis_async.errors import SubmissionUnknownError
from toapis_async.testing import Drop, Fault, Refuse

ON = {"resume_references": True}
FOX = ImageRequest("a fox", client_business_id="order-7")


async def test_a_job_that_is_delivered_again_finds_its_task(live):
    """The second owner of a job takes up what the first has submitted, and sends nothing."""
    async with live(lookup_lag=0.4, client=ON) as (sim, client):
        first = await client.images.submit(FOX)
        sim_client = client
        second = await sim_client.images.submit(FOX)
        assert first.id == second.id
        assert sim.books.posts == 1


async def test_of_jobs_that_are_new_each_is_sent_once(live):
    """Where nothing is known of the gateway one goes ahead, and the rest follow when it has shown what a miss means."""
    async with live(client=ON) as (sim, client):
        tasks = await asyncio.gather(
            *(client.images.submit(ImageRequest("a fox", client_business_id=f"order-{n}")) for n in range(5))
        )
        assert len({task.id for task in tasks}) == 5
        assert sim.books.posts == 5


async def test_a_session_without_its_journal_finds_its_tasks(live, tmp_path):
    """A run whose journal is gone pays for nothing again, by the references alone."""
    requests = [ImageRequest("a fox", id=str(n), client_business_id=f"july-{n}") for n in range(6)]
    async with live(lookup_lag=0.4, client=ON) as (sim, client):
        for place in ("one", "two"):
            async with client.session(tmp_path / place) as session:
                ended = [outcome async for outcome in session.stream(requests)]
            assert all(isinstance(outcome, Saved) for outcome in ended)
        assert sim.books.posts == 6


async def test_attempts_of_which_nothing_came_share_the_reference(live):
    """However an attempt was lost, the next owner of the job asks for one reference only."""
    lost = Fault(where="submit", what=Drop(), first=2, match="a fox")
    async with live(faults=(lost,), client=ON) as (sim, client):
        await client.images.submit(ImageRequest("an owl", client_business_id="order-1"))
        task = await client.images.submit(FOX)
        assert task.client_business_id == "order-7"
        assert task.id == (await client.images.submit(FOX)).id
        assert sim.books.accepted == 2


async def test_without_the_option_references_are_sent_as_they_are(live):
    """Whoever has not asked for it waits for nothing."""
    async with live() as (sim, client):
        await client.images.submit(FOX)
        await client.images.submit(FOX)
        assert sim.books.posts == 2


async def test_where_nothing_can_be_asked_nothing_is_sent(live):
    """A gateway that answers no lookup leaves a doubt, and no charge."""
    down = Fault(where="lookup", what=Refuse(reply="html_502"))
    async with live(faults=(down,), client=ON) as (sim, client):
        with pytest.raises(SubmissionUnknownError):
            await client.images.submit(FOX)
        assert sim.books.posts == 0
