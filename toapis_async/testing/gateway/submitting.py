"""What a submission meets, in the gateway's order: allowance, checks, money, acceptance."""

import math
from collections.abc import Mapping

from toapis_async.testing.gateway.accounts.account import Account
from toapis_async.testing.gateway.accounts.buckets import Bucket
from toapis_async.testing.gateway.accounts.webhook_setup import may_call_back
from toapis_async.testing.gateway.replies.answers import Answer, json_answer
from toapis_async.testing.gateway.replies.refusals import REFUSALS, with_headers, wrong_field
from toapis_async.testing.gateway.replies.status_bodies import created
from toapis_async.testing.gateway.state import Gateway
from toapis_async.testing.gateway.submissions import request_parsing
from toapis_async.testing.gateway.submissions.request_parsing import Submission
from toapis_async.testing.gateway.tasks import SimulatedTask
from toapis_async.values.tasks import Kind


def submit(
    gateway: Gateway,
    account: Account,
    body: Mapping[str, object] | Answer,
    kind: Kind,
    source: SimulatedTask | None = None,
) -> Answer:
    """Answer a submission; an accepted one is charged.

    Args:
        gateway: its state.
        account: whose submission it is.
        body: the decoded body, or the refusal that its bytes earned.
        kind: by the endpoint.
        source: the task that is remixed or extended, or None.

    """
    gateway.settle()
    limit = gateway.scenario.max_unfinished
    if limit is not None and gateway.books.unfinished >= limit:
        return REFUSALS["too_many_unfinished"]
    refusal = allowance(gateway, account.submit)
    if refusal is not None:
        return refusal
    return rated(gateway, account.submit, _checked(gateway, account, body, kind, source))


def allowance(gateway: Gateway, bucket: Bucket | None) -> Answer | None:
    """Take one request off the allowance, or the 429."""
    if bucket is None or bucket.take(gateway.clock.monotonic()):
        return None
    answer = rated(gateway, bucket, REFUSALS["rate_limited"])
    if not gateway.scenario.retry_after:
        return answer
    return with_headers(answer, {"Retry-After": str(max(1, math.ceil(bucket.wait)))})


def rated(gateway: Gateway, bucket: Bucket | None, answer: Answer) -> Answer:
    """The same reply with the bucket's headers, where the scenario sends them."""
    form = gateway.scenario.rate_headers
    if bucket is None or form is None:
        return answer
    return with_headers(answer, bucket.headers(form, gateway.clock.now()))


def _checked(
    gateway: Gateway,
    account: Account,
    body: Mapping[str, object] | Answer,
    kind: Kind,
    source: SimulatedTask | None,
) -> Answer:
    if isinstance(body, Answer):
        return body
    submission = request_parsing.read(
        body,
        kind,
        own_host=gateway.base_url,
        routed=gateway.scenario.extra_models,
        continues=source is not None,
    )
    if isinstance(submission, Answer):
        return submission
    refusal = _refusal(gateway, account, submission, source)
    if refusal is not None:
        return refusal
    task = gateway.accept(account, submission, source)
    return json_answer(created(task, gateway.scenario, gateway.file_url, gateway.clock.now()), task_id=task.id)


def _refusal(gateway: Gateway, account: Account, submission: Submission, source: SimulatedTask | None) -> Answer | None:
    if submission.model in gateway.scenario.unrouted_models:
        return REFUSALS["model_not_found"]
    if submission.callback_url is not None and not may_call_back(account.webhook, submission.callback_url):
        return REFUSALS["webhook_not_configured"]
    for reference in submission.references:
        path = reference.removeprefix(gateway.base_url).removeprefix(gateway.file_url)
        if path != reference and path not in gateway.uploads and path not in gateway.files:
            return wrong_field("image_urls", f"failed to fetch reference image: {reference[:200]}")
    video = submission.body.get("from_task")
    if submission.makes == "character" and isinstance(video, str) and gateway.find(account, "video", video) is None:
        return REFUSALS["task_not_found"]
    cost = gateway.quote(submission, source).charged_usd
    return None if account.can_pay(cost) else REFUSALS["payment_required"]
