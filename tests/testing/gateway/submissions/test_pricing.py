"""What tasks cost: the catalogue's prices, and tokens where the model counts them."""

from decimal import Decimal

import pytest

from toapis_async.testing import Fail, Fault

IMAGES, VIDEOS = "/v1/images/generations", "/v1/videos/generations"
SHOWN = ["https://a.example/1.png", "https://a.example/2.png"]
FLARE = {"model": "gpt-image-2.5-flare-vip", "size": "1024x1024"}


@pytest.mark.parametrize(
    ("path", "fields", "usd"),
    [
        (IMAGES, {"model": "gpt-image-2"}, "0.015"),
        (IMAGES, {"model": "gpt-image-2", "resolution": "4K"}, "0.025"),
        (IMAGES, {"model": "gpt-image-2", "metadata": {"resolution": "4K"}}, "0.015"),
        (IMAGES, {"model": "gemini-2.5-flash-image-preview", "n": 3}, "0.036"),
        (IMAGES, {"model": "nano-banana"}, "0.012"),
        (IMAGES, {"model": "qwen-image-3.0", "image_urls": SHOWN}, "0.036"),
        (IMAGES, {"model": "gpt-4o-image"}, "0.012"),
        (VIDEOS, {"model": "grok-video-1.5", "duration": 8}, "0.08"),
        (VIDEOS, {"model": "seedance-2-mini", "duration": 4, "resolution": "480p"}, "0.057144"),
        (VIDEOS, {"model": "wan3.0-video"}, "0.25"),
        (VIDEOS, {"model": "sora-2", "n": 4}, "0.012"),
    ],
)
async def test_prices_follow_the_catalogue(running, path, fields, usd):
    """By image, resolution, reference and second; what has no price costs what the scenario says."""
    async with running() as (sim, caller):
        made = await caller.submit(path=path, **fields)
        sim.clock.advance(2)
        task = await caller.look(made["id"], path.split("/")[2])

        assert (sim.books.charged_usd, Decimal(task["billing"]["cost_usd"])) == (Decimal(usd), Decimal(usd))


@pytest.mark.parametrize(
    ("fields", "charged"),
    [({"quality": "low"}, "0.004812"), ({"quality": "high"}, "0.042208"), ({}, "0.042208"), ({"n": 2}, "0.084416")],
)
async def test_tokens_settle_what_was_charged_before(running, fields, charged):
    """The listed price is taken at once; the tokens then move it, in books, balance and billing alike."""
    async with running() as (sim, caller):
        before = sim.account.balance_usd
        made = await caller.submit("a fox " * 10, **FLARE, **fields)
        assert sim.books.charged_usd == Decimal(charged)
        sim.clock.advance(2)
        task = await caller.look(made["id"])

        used = task["usage"]
        settled = (used["input_tokens"] * Decimal(4) + used["output_tokens"] * Decimal(24)) / 1_000_000
        assert Decimal(task["billing"]["cost_usd"]) == settled == sim.books.charged_usd
        assert before - sim.account.balance_usd == settled == sim.books.by_prompt["a fox " * 10].charged_usd
        assert settled == pytest.approx(Decimal(charged), rel=Decimal("0.03"))


async def test_references_are_tokens_too(running):
    """Their counts stand apart."""
    async with running() as (_, caller):
        task = await caller.made(**FLARE, quality="low", image_urls=SHOWN[:1])

        details = task["usage"]["input_tokens_details"]
        assert details["image_tokens"] == task["usage"]["input_tokens"] - details["text_tokens"] == 1020
        assert float(task["billing"]["cost_usd"]) == pytest.approx(0.011342, rel=0.02)


async def test_a_failed_task_that_was_charged(running):
    """It says that it is settled, and counts as chat endpoints count."""
    async with running(faults=(Fault(where="task", what=Fail(refund=False)),)) as (sim, caller):
        task = await caller.made()

        assert (task["status"], task["billing"]["status"], task["billing"]["cost_usd"]) == (
            "failed",
            "settled",
            "0.012",
        )
        assert set(task["usage"]) == {"prompt_tokens", "completion_tokens", "total_tokens"}
        assert (sim.books.failed, sim.books.refunded_usd, sim.books.net_usd) == (1, 0, Decimal("0.012"))
        assert sim.books.by_prompt["a fox"].net_charges == 1
