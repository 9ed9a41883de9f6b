"""One charge at most: what follows each kind of answer to a POST."""

import asyncio
import json

import attrs
import pytest

from toapis_async.client.submitting import MOST_DOUBTS, NotSentError, Submitter
from toapis_async.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    Delivery,
    InsufficientQuotaError,
    InvalidRequestError,
    RateLimitError,
    ServerError,
    SubmissionUnknownError,
)
from toapis_async.policy.money.retrying import RetryPolicy
from toapis_async.values.exchange import HttpRequest, Purpose

MISSING = {"error": {"code": 404, "message": "Task not found", "type": "not_found_error"}}
NEVER = APIConnectionError("refused", delivery=Delivery.NEVER)
LOST = APIConnectionError("reset", delivery=Delivery.UNKNOWN)


@attrs.define
class Attempts:
    """Writes down what a submission tells it."""

    wanted: bool = True
    told: list = attrs.field(factory=list)
    hold: float | None = None
    begun: int = 0
    priority: int = 0

    async def ready(self):
        self.told.append("ready")

    async def begin(self):
        self.begun += 1
        self.told.append("begin")
        return f"ours-{self.begun}"

    def accepted(self, task):
        self.told.append(f"accepted {task.id}")

    def not_accepted(self, error):
        self.told.append("not accepted")

    def in_doubt(self, error):
        self.told.append("in doubt")

    def waits_for(self, limit):
        self.told.append(f"waits for {limit}")

    def tell(self, event, /, **facts):
        self.told.append(event.__name__)

    def held_up(self, error):
        self.told.append(f"held up by {type(error).__name__}")
        return self.hold


def encode(client_business_id):
    body = json.dumps({"prompt": "a fox", "client_business_id": client_business_id}).encode()
    return HttpRequest(method="POST", path="/images/generations", purpose=Purpose.SUBMIT, body=body)


def posts(gateway):
    return [json.loads(r.body)["client_business_id"] for r in gateway.transport.requests if r.method == "POST"]


@pytest.fixture
def submission(scripted_gateway):
    """A gateway on a script, and a submission to it."""

    def make(answers, *, retries=None, **settings):
        gateway = scripted_gateway(answers)
        submitter = Submitter(gateway=gateway, retries=retries or RetryPolicy(), **settings)
        attempts = Attempts()
        return gateway, attempts, lambda: submitter.submit(encode, "image", attempts)

    return make


async def test_an_accepted_task_is_written_down(submission, json_reply):
    """The intent comes before the POST and the acceptance after it, once each."""
    gateway, attempts, submit = submission([json_reply({"id": "tsk_1", "status": "queued"})])
    task = await submit()
    assert task.id == "tsk_1"
    assert attempts.told == ["ready", "begin", "accepted tsk_1"]
    assert posts(gateway) == ["ours-1"]
    assert gateway.client_ids.recent_task[:3] == ("ours-1", "tsk_1", "image")
    assert gateway.client_ids.keeps is None


async def test_an_echoed_reference_is_a_hint(submission, json_reply):
    """A reply with our own reference in it makes lookups by it worth a trial; it proves nothing by itself."""
    gateway, _, submit = submission([json_reply({"id": "tsk_1", "client_business_id": "ours-1"})])
    await submit()
    assert gateway.client_ids.echoes is True
    assert gateway.client_ids.keeps is None


async def test_a_429_is_waited_out(submission, json_reply):
    """A 429 was not accepted: the same request goes again under a fresh reference after the time asked for."""
    gateway, attempts, submit = submission(
        [json_reply({"error": {"message": "slow"}}, 429, **{"Retry-After": "20"}), json_reply({"id": "tsk_1"})]
    )
    await submit()
    assert posts(gateway) == ["ours-1", "ours-2"]
    assert attempts.told == [
        "ready", "begin", "not accepted", "held up by RateLimitError", "ready", "begin", "accepted tsk_1",
    ]  # fmt: skip
    assert 20 <= gateway.clock.monotonic() <= 22


async def test_whoever_is_held_up_may_set_the_pace(submission, json_reply):
    """Where the books say how long to wait, the retry policy is not asked."""
    gateway, attempts, submit = submission(
        lambda _: (
            json_reply({"error": {"message": "slow"}}, 429)
            if len(gateway.transport.requests) < 9
            else json_reply({"id": "tsk_1"})
        ),
        retries=RetryPolicy(max_retries=0),
    )
    attempts.hold = 3.0
    await submit()
    assert gateway.clock.monotonic() == 8 * 3.0


async def test_patience_with_429_ends(submission, json_reply):
    """After max_retries the refusal comes out, with nothing accepted."""
    gateway, attempts, submit = submission(lambda _: json_reply({"error": {"message": "slow"}}, 429))
    with pytest.raises(RateLimitError):
        await submit()
    assert len(posts(gateway)) == 4
    assert attempts.told.count("not accepted") == 4


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, InvalidRequestError), (401, AuthenticationError), (402, InsufficientQuotaError)],
)
async def test_a_refusal_for_good_is_never_repeated(submission, json_reply, status, kind):
    """400, 401 and 402 are not sent again."""
    gateway, attempts, submit = submission([json_reply({"error": {"message": "no"}}, status)])
    with pytest.raises(kind):
        await submit()
    assert posts(gateway) == ["ours-1"]
    assert attempts.told == ["ready", "begin", "not accepted"]


@pytest.mark.parametrize(
    "failure",
    [
        LOST,
        APITimeoutError("late", delivery=Delivery.UNKNOWN),
        lambda reply: reply({"error": {"message": "boom"}}, 500),
        lambda reply: reply("<html><title>502</title></html>", 502),
        lambda reply: reply("<html><title>504</title></html>", 504),
        lambda reply: reply({"error": {"message": "timeout"}}, 408),
        lambda reply: reply({"error": {"message": "odd"}}, 503),
        lambda reply: reply({"nothing": "useful"}),
        lambda reply: reply("<html>hello</html>"),
    ],
    ids=["reset", "timeout", "500", "html 502", "html 504", "408", "other 503", "2xx without id", "2xx html"],
)
async def test_an_unknown_outcome_is_asked_for_and_adopted(submission, json_reply, failure):
    """Whatever may have been accepted is looked up and adopted, and never sent a second time."""
    first = failure if isinstance(failure, Exception) else failure(json_reply)
    found = json_reply({"id": "tsk_1", "status": "in_progress", "client_business_id": "ours-1"})
    gateway, attempts, submit = submission([first, json_reply(MISSING, 404), found])
    assert (await submit()).id == "tsk_1"
    assert posts(gateway) == ["ours-1"]
    assert attempts.told == ["ready", "begin", "in doubt", "accepted tsk_1"]


async def test_what_is_proved_absent_is_sent_again(submission, json_reply):
    """Where references are kept, clean misses over the grace period allow one more attempt, under a new reference."""

    def answer(request):
        if request.method == "GET":
            return json_reply(MISSING, 404)
        return LOST if len(posts(gateway)) == 1 else json_reply({"id": "tsk_2"})

    gateway, attempts, submit = submission(answer)
    gateway.client_ids.keeps = True
    assert (await submit()).id == "tsk_2"
    assert posts(gateway) == ["ours-1", "ours-2"]
    assert gateway.clock.monotonic() >= gateway.grace.settled_seconds
    assert attempts.told[2:4] == ["in doubt", "not accepted"]


async def test_what_stays_unknown_is_never_sent_again(submission, json_reply):
    """Where nothing can be proved the doubt comes out, with the reference to ask for."""
    gateway, attempts, submit = submission(
        lambda request: LOST if request.method == "POST" else json_reply(MISSING, 404)
    )
    with pytest.raises(SubmissionUnknownError) as caught:
        await submit()
    assert caught.value.client_business_id == "ours-1"
    assert "ours-1" in caught.value.hint
    assert caught.value.__cause__ is LOST
    assert posts(gateway) == ["ours-1"]
    assert "not accepted" not in attempts.told


async def test_resubmitting_the_unknown_is_a_choice(submission, json_reply):
    """With on_unknown="resubmit" the doubt is sent again, as the caller asked."""
    gateway, _, submit = submission(
        lambda request: (
            json_reply(MISSING, 404)
            if request.method == "GET"
            else (LOST if len(posts(gateway)) == 1 else json_reply({"id": "tsk_2"}))
        ),
        on_unknown="resubmit",
    )
    assert (await submit()).id == "tsk_2"
    assert posts(gateway) == ["ours-1", "ours-2"]


async def test_a_gateway_that_loses_everything_is_given_up(submission, json_reply):
    """An item does not stay busy for ever at a gateway that never accepts and never answers."""
    gateway, attempts, submit = submission(
        lambda request: (
            json_reply({"error": {"message": "boom"}}, 500) if request.method == "POST" else json_reply(MISSING, 404)
        )
    )
    gateway.client_ids.keeps = True
    with pytest.raises(ServerError):
        await submit()
    assert MOST_DOUBTS + 1 == len(posts(gateway)) == attempts.told.count("not accepted")


async def test_an_error_that_names_a_task_is_an_acceptance(submission, json_reply):
    """A refusal that carries a task id is followed, not repeated."""
    gateway, attempts, submit = submission([json_reply({"error": {"message": "boom"}, "task_id": "tsk_9"}, 500)])
    assert (await submit()).id == "tsk_9"
    assert attempts.told[-1] == "accepted tsk_9"
    assert len(gateway.transport.requests) == 1


async def test_a_wrong_address_is_told_soon(submission):
    """While nothing has ever answered, connecting is tried three times and not for minutes."""
    gateway, attempts, submit = submission(lambda _: NEVER, retries=RetryPolicy(max_retries=None))
    with pytest.raises(APIConnectionError):
        await submit()
    assert len(posts(gateway)) == 3
    assert attempts.told.count("not accepted") == 3
    assert gateway.clock.monotonic() < 5


async def test_an_outage_is_waited_out(submission, json_reply):
    """A gateway that has answered before is waited for as long as the patience lasts."""
    gateway, _, submit = submission(
        lambda _: NEVER if gateway.clock.monotonic() < 100 else json_reply({"id": "tsk_1"}),
        retries=RetryPolicy(max_retries=None, max_elapsed_seconds=300.0),
    )
    gateway.client_ids.answered = True
    assert (await submit()).id == "tsk_1"


async def test_nothing_is_sent_for_a_caller_who_has_gone(submission):
    """A submission that nobody waits for any more is not sent."""
    gateway, attempts, submit = submission([])
    attempts.wanted = False
    with pytest.raises(NotSentError):
        await submit()
    assert gateway.transport.requests == []
    assert attempts.begun == 0


@pytest.mark.parametrize(("one_ahead", "expected"), [(True, 1), (False, 30)])
async def test_a_refused_key_costs_one_refusal(scripted_gateway, json_reply, one_ahead, expected):
    """Where one goes ahead, its refusal stops the others before they are sent."""

    async def refuse(_):
        await asyncio.sleep(0)
        return json_reply({"error": {"code": "unauthorized", "message": "no"}}, 401)

    gateway = scripted_gateway(refuse)
    submitter = Submitter(gateway=gateway, retries=RetryPolicy(), one_ahead=one_ahead)
    everyone = [Attempts() for _ in range(30)]

    async def one(attempts):
        try:
            await submitter.submit(encode, "image", attempts)
        except AuthenticationError:
            for other in everyone:
                other.wanted = False
        except NotSentError:
            pass

    await asyncio.gather(*(one(attempts) for attempts in everyone))
    assert expected == len(gateway.transport.requests)


async def test_one_that_breaks_lets_the_others_through(scripted_gateway, json_reply):
    """When the one ahead gets no answer the others do not wait for its questions."""
    answers = [LOST]

    def answer(request):
        if request.method == "GET":
            return json_reply(MISSING, 404)
        return answers.pop() if answers else json_reply({"id": "tsk_1"})

    gateway = scripted_gateway(answer)
    submitter = Submitter(gateway=gateway, retries=RetryPolicy(), one_ahead=True)
    ahead = asyncio.ensure_future(submitter.submit(encode, "image", Attempts()))
    await asyncio.sleep(0)
    assert (await submitter.submit(encode, "image", Attempts())).id == "tsk_1"
    assert gateway.clock.monotonic() == 0.0
    with pytest.raises(SubmissionUnknownError):
        await ahead
