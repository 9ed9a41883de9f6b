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


@pytest.mark.parametrize(
    "body",
    [
        b"x",
        b"[]",
        b"{}",
        b'{"advance": "much"}',
        b'{"advance": -1}',
        b'{"advance": null}',
        b'{"advance": Infinity}',
        b'{"advance": true}',
    ],
)
async def test_a_step_that_is_no_number_is_refused(running, body):
    """400, and the clock stays."""
    async with running() as (_, caller):
        assert (await caller.call("POST", "/__admin/clock", data=body))[0] == 400


async def test_a_webhook_can_be_set_up_from_outside(running, receiver):
    """By a program that knows its own address only once it runs; the secret is given or made."""
    async with running() as (sim, caller), receiver() as received:
        for given in ({}, {"secret": "whsec_mine"}):
            body = {"url": received.url, **given}
            status, _, document = await caller.call("POST", "/__admin/webhook", json=body, key=False)
            assert (status, document["secret"]) == (200, sim.account.webhook.secret)

        await caller.submit()
        sim.clock.advance(2)

        assert (await received.next()).document["type"] == "generation.completed"
        assert sim.account.webhook.secret == "whsec_mine"


@pytest.mark.parametrize("body", [b"x", b"{}", b'{"url": 7}', b'{"url": "http://a.example/"}', b'{"url": "x"}'])
async def test_a_webhook_that_goes_nowhere_is_refused(running, body):
    """400 with what to send."""
    async with running() as (sim, caller):
        status, _, document = await caller.call("POST", "/__admin/webhook", data=body)

        assert (status, document["error"]["param"], sim.account.webhook) == (400, "url", None)
