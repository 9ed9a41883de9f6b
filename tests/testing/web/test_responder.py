"""What goes wrong at a call, seen from the other end of the socket."""

import aiohttp
import pytest

from toapis_async.testing import Delay, Drop, Fault, InvalidJson, Refuse, Reply, StatusWord

LOST = "/v1/images/generations"
BODY = {"model": "gpt-4o-image", "prompt": "a fox", "client_business_id": "mine"}


async def test_a_connection_dropped_before_acceptance_made_nothing(running):
    """The books know of the post and of no task."""
    async with running(faults=(Fault(where="submit", what=Drop(), nth=1),)) as (sim, caller):
        with pytest.raises(aiohttp.ClientConnectionError):
            await caller.call("POST", LOST, json=BODY)

        assert (sim.books.posts, sim.books.accepted, sim.books.replies["submit", 0]) == (1, 0, 1)
        assert (await caller.submit("a fox"))["status"] == "pending"


async def test_a_reply_lost_after_acceptance_left_a_task(running):
    """The task is charged and found by the reference."""
    async with running(faults=(Fault(where="submit", what=Drop(after_acceptance=True)),)) as (sim, caller):
        with pytest.raises(aiohttp.ClientConnectionError):
            await caller.call("POST", LOST, json=BODY)

        assert sim.books.by_client_business_id["mine"].net_charges == 1
        assert (await caller.look("mine"))["client_business_id"] == "mine"


@pytest.mark.parametrize(("after", "accepted"), [(False, 0), (True, 1)])
async def test_a_page_in_place_of_the_reply(running, after, accepted):
    """An HTML 504 says nothing about acceptance; the books do."""
    fault = Fault(where="submit", what=Refuse(reply="html_504", after_acceptance=after))
    async with running(faults=(fault,)) as (sim, caller):
        status, headers, body = await caller.call("POST", LOST, json=BODY)

        assert (status, headers["Content-Type"], sim.books.accepted) == (504, "text/html", accepted)
        assert b"504 Gateway Time-out" in body


async def test_a_refusal_is_not_spoilt_after_acceptance(running):
    """What was refused has no reply after acceptance to lose."""
    async with running(faults=(Fault(where="submit", what=Drop(after_acceptance=True)),)) as (_, caller):
        status, _, _ = await caller.call("POST", LOST, json={"model": "gpt-4o-image"})

        assert status == 400


async def test_invalid_json_has_status_200_and_half_a_body(running):
    """The task exists all the same."""
    async with running(faults=(Fault(where="submit", what=InvalidJson()),)) as (sim, caller):
        with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
            await caller.call("POST", LOST, json=BODY)

        assert (sim.books.accepted, sim.books.replies["submit", 200]) == (1, 1)


async def test_any_reply_can_be_made_up(running):
    """Status, headers, type and body are the scenario's."""
    what = Reply(http_status=418, body="short", content_type="text/x-tea", headers=(("X-Pot", "stout"),))
    async with running(faults=(Fault(where="balance", what=what),)) as (_, caller):
        status, headers, body = await caller.call("GET", "/v1/balance")

        assert (status, headers["X-Pot"], headers["Content-Type"], body) == (418, "stout", "text/x-tea", b"short")


async def test_retry_after_is_added_where_asked(running):
    """A refusal carries the header that the scenario wants."""
    async with running(faults=(Fault(where="query", what=Refuse(reply="rate_limited", retry_after=2)),)) as (_, caller):
        task = await caller.submit()

        status, headers, _ = await caller.call("GET", f"/v1/images/generations/{task['id']}")

        assert (status, headers["Retry-After"]) == (429, "2")


async def test_a_delay_passes_with_the_clock(running):
    """A reply that is late by a minute comes when the clock has moved."""
    import asyncio

    async with running(faults=(Fault(where="models", what=Delay(seconds=60)),)) as (sim, caller):
        late = asyncio.ensure_future(caller.call("GET", "/v1/models"))
        while not sim.books.requests["models"]:
            await asyncio.sleep(0.01)
        assert not late.done()

        sim.clock.advance(60)

        assert (await late)[0] == 200


async def test_other_words_are_said_until_the_end_only(running):
    """An unknown status never hides that the task is done."""
    async with running(faults=(Fault(where="query", what=StatusWord(word="")),)) as (sim, caller):
        task = await caller.submit()
        assert (await caller.look(task["id"]))["status"] == ""

        sim.clock.advance(2)

        assert (await caller.look(task["id"]))["status"] == "completed"


async def test_the_books_tell_who_sent_the_key_where(running):
    """Only the beginning of the key is kept."""
    async with running() as (sim, caller):
        task = await caller.made()
        await caller.call("GET", task["result"]["data"][0]["url"], key=False)
        await caller.call("GET", task["result"]["data"][0]["url"], headers={"User-Agent": "curious/1"})

        books = sim.books
        assert (books.with_key["submit"], books.with_key["query"], books.with_key["file"]) == (1, 1, 1)
        assert books.keys_seen["file"] == {sim.api_key[:7]}
        assert books.user_agents["curious/1"] == 1
        assert sim.api_key not in str(books.as_document())
