"""Every error of the family has its answer, and none of them tells strangers what is not theirs to know."""

import inspect

import pytest

from toapis_async import errors
from toapis_async.errors import Delivery, InvalidRequestError, RateLimitError, ToAPIsError
from toapis_async.integrations.error_responses import headers, problem, title_of
from toapis_async.values.tasks import GenerationTask, TaskStatus

SECRET = "/srv/private sk-1234 a red fox"
FACTS = {
    "http_status": 418,
    "delivery": Delivery.UNKNOWN,
    "client_business_id": SECRET,
    "url": SECRET,
    "path": SECRET,
    "excerpt": SECRET,
    "code": SECRET,
    "request_id": SECRET,
    "hint": SECRET,
    "violations": (SECRET,),
    "files": (),
    "missing": {},
    "task": GenerationTask(id=SECRET, kind="image", status=TaskStatus.FAILED),
}
FAMILY = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ToAPIsError) and kind.__module__ == errors.__name__
]


def made(kind):
    wanted = inspect.signature(kind).parameters
    facts = {name: value for name, value in FACTS.items() if name in wanted}
    return kind(SECRET, **facts)


@pytest.mark.parametrize("kind", FAMILY, ids=lambda kind: kind.__name__)
def test_each_error_has_a_status_and_a_sentence(kind):
    """A status of HTTP's, a sentence of ours, the kind; no word of the error itself."""
    body = problem(made(kind))
    assert body["status"] in {400, 404, 422, 500, 502, 503, 504}
    assert kind.__name__ == body["error"]
    assert title_of(kind.__name__) == body["title"]
    assert SECRET not in str(body)
    assert SECRET not in str(headers(made(kind)))


def test_our_own_refusal_says_what_is_wrong():
    """Whoever asked wrongly is told what to mend; what the gateway said of it stays with us."""
    ours = problem(InvalidRequestError.refused(("size is wrong",)))
    assert (ours["status"], ours["violations"]) == (422, ["size is wrong"])
    assert "violations" not in problem(made(InvalidRequestError))


def test_a_hurried_client_is_told_when_to_come_back():
    """What the gateway asked of us, we ask of them."""
    assert headers(RateLimitError("x", http_status=429, retry_after_seconds=2.4)) == {"Retry-After": "2"}
    assert headers(RateLimitError("x", http_status=429)) == {}


def test_a_strange_name_has_the_plainest_sentence():
    """Names from a newer or older version, or of what is no error, are no reason to fail."""
    assert title_of("WhatError") == title_of("Delivery") == title_of("ToAPIsError")
