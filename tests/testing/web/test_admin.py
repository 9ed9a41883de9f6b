"""The books and the clock, from outside."""

import pytest


async def test_the_books_are_a_document(running):
    """Settled, with money as text, and with nothing secret."""
    async with running() as (sim, caller):
        await caller.made()

        _, _, books = await caller.call("GET", "/__admin/books", key=False)

        assert (books["accepted"], books["completed"], books["net_usd"]) == (1, 1, "0.012")
        assert books["by_prompt"]["a fox"]["net_charges"] == 1
        assert books["replies"]["submit 200"] == 1
        assert books["never_downloaded"] == ["a fox"]
        assert sim.api_key not in str(books)


async def test_the_clock_moves(running):
    """Tasks finish by it."""
    async with running() as (_, caller):
        made = await caller.submit()

        status, _, document = await caller.call("POST", "/__admin/clock", json={"advance": 60})

        assert (status, document["now"] > made["created_at"] + 59) == (200, True)
        assert (await caller.look(made["id"]))["status"] == "completed"


@pytest.mark.parametrize("body", [b"x", b"[]", b"{}", b'{"advance": "much"}', b'{"advance": -1}', b'{"advance": null}'])
async def test_a_step_that_is_no_number_is_refused(running, body):
    """400, and the clock stays."""
    async with running() as (_, caller):
        assert (await caller.call("POST", "/__admin/clock", data=body))[0] == 400
