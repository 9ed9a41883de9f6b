"""Every way in which the answer to a submission can be lost or garbled, after the gateway took it and before."""

import asyncio

import pytest

from toapis_async import ImageRequest
from toapis_async.testing import Delay, Drop, Fault, InvalidJson, Refuse, Reply, Scenario, Uniform

TAKEN = (
    Drop(after_acceptance=True),
    InvalidJson(),
    Delay(seconds=1.5, after_acceptance=True),
    *(Refuse(reply=name, after_acceptance=True) for name in ("html_504", "html_502", "internal_error", "plain_503")),
    *(Reply(http_status=status, after_acceptance=True) for status in (200, 201, 204, 408, 500, 502, 504, 520, 524)),
    Reply(http_status=200, body="{}", after_acceptance=True),
    Reply(http_status=200, body="null", after_acceptance=True),
    Reply(http_status=200, body='{"id": null}', after_acceptance=True),
    Reply(http_status=200, body='{"id": ""}', after_acceptance=True),
    Reply(http_status=200, body="<html>busy</html>", content_type="text/html", after_acceptance=True),
    Reply(http_status=500, body='{"error": {"message": "upstream"}}', after_acceptance=True),
    Reply(http_status=409, body='{"error": {"message": "duplicate request"}}', after_acceptance=True),
)
NOT_TAKEN = (
    Drop(),
    *(Refuse(reply=name) for name in ("html_504", "html_502", "internal_error", "plain_503", "rate_limited")),
    *(Refuse(reply=name) for name in ("rate_limit_unavailable", "circuit_broken")),
    *(Reply(http_status=status) for status in (408, 429, 500, 502, 504, 520, 524)),
)


@pytest.mark.parametrize(("faults", "most_posts"), [(TAKEN, 1), (NOT_TAKEN, 2)], ids=["taken", "not taken"])
async def test_each_kind_of_answer_costs_one_charge(journey, faults, most_posts):
    """Each strikes the first submission of one prompt: it is charged once and saved, in as few posts as can be."""
    prompts = [f"<{number}> {fault}" for number, fault in enumerate(faults)]
    scenario = Scenario(
        latency=Uniform(0.02, 0.2),
        files="small",
        lookup_lag=0.06,
        faults=[Fault(where="submit", what=fault, first=1, match=f"<{number}>") for number, fault in enumerate(faults)],
    )
    async with journey(scenario, count=4) as going:
        calm = going.requests()
        requests = [*calm, *(ImageRequest(prompt=prompt) for prompt in prompts)]
        outcomes, report = await going.run(requests, client={"timeout": 1.0})
        assert report.complete, [(outcome.item.request.prompt, str(outcome.error)) for outcome in outcomes]
        going.assert_charged_once([request.prompt for request in requests])
        going.assert_on_disk([request.prompt for request in requests])
        assert all(going.sim.books.by_prompt[prompt].posts <= most_posts for prompt in prompts)


async def test_the_same_for_single_calls(journey):
    """generate() without a session and without a journal meets them with the same care."""
    faults = (*TAKEN, *NOT_TAKEN)
    prompts = [f"<{number}> {fault}" for number, fault in enumerate(faults)]
    scenario = Scenario(
        latency=Uniform(0.02, 0.2),
        files="small",
        lookup_lag=0.06,
        faults=[Fault(where="submit", what=fault, first=1, match=f"<{number}>") for number, fault in enumerate(faults)],
    )
    async with journey(scenario, count=1) as going, going.client(timeout=1.0) as client:
        await client.images.generate(prompt="calm")
        tasks = await asyncio.gather(*(client.images.generate(prompt=prompt) for prompt in prompts))
        assert all(task.completed for task in tasks)
        going.assert_charged_once(["calm", *prompts])
