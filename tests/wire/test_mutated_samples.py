"""Replies that no documentation describes: every sample with fields dropped, retyped, renamed and nested.

``HYPOTHESIS_EXAMPLES=10000`` runs the long version.
"""

import copy
import json
import os
import pickle
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toapis_async.errors import ToAPIsError
from toapis_async.policy.money.delivery import Knowledge, knowledge_of, proves_absence, stops_everything
from toapis_async.values.exchange import HttpReply
from toapis_async.values.tasks import GenerationTask
from toapis_async.wire.account_decoding import balance_from, models_from
from toapis_async.wire.decoding import task_from, upload_from
from toapis_async.wire.failures import error_from, task_failed_error
from toapis_async.wire.tasks import task_in

EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "1500"))
BODIES = [json.loads(path.read_bytes()) for path in sorted((Path(__file__).parents[1] / "samples").glob("*.json"))]
KEYS = sorted({key for body in BODIES for key in body} | {"task_id", "fail_reason", "outputs", "images", "video_url"})

ODDITIES = st.sampled_from(
    [
        None, True, False, 0, -1, 50, 10**25, 10**4000, -0.0, 1e308, float("nan"), float("inf"),
        "", " ", "0", "null", "100%", "1e999", "NaN", "9" * 5000, "SUCCESS", "failed", "completed",
        "2026-10-09T12:00:00Z", "0001-01-01", "9999-12-31T23:59:59-23:59",
        "\ud800", "\x1b[2J\x07", "\u202egnp.exe", "a\nb", "<html><title>504</title>", "sk-abcdefghijklmnop",
        "https://", "https://h/a.png", "[" * 300,
        '{"error":{"message":"{\\"message\\":\\"{}\\"}"}}', '"\\"\\\\\\"deep\\\\\\"\\""',
        [], {}, [[]], [None], [[[[[[[1]]]]]]], {"url": None}, {"error": {"error": {}}},
    ]
).map(copy.deepcopy)  # fmt: skip
JUNK = ODDITIES | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=6,
)


def places(body):
    """List every place in a body as (container, key)."""
    found, level = [], [body]
    while level:
        holder = level.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        found += [(holder, key) for key in keys]
        level += [holder[key] for key in keys if isinstance(holder[key], dict | list) and holder[key]]
    return found


@st.composite
def mutated_bodies(draw):
    """Draw a sample and spoil it in one to four places."""
    body = json.loads(json.dumps(draw(st.sampled_from(BODIES))))
    for _ in range(draw(st.integers(1, 4))):
        spots = places(body)
        if not spots:
            break
        holder, key = spots[draw(st.integers(0, len(spots) - 1))]
        match draw(st.sampled_from(["drop", "retype", "rename", "nest", "wrap", "add", "text"])):
            case "drop":
                holder.pop(key)
            case "retype":
                holder[key] = draw(JUNK)
            case "rename" if isinstance(holder, dict):
                holder[draw(st.sampled_from(KEYS))] = holder.pop(key)
            case "nest":
                holder[key] = {draw(st.sampled_from(KEYS)): holder[key]}
            case "wrap":
                holder[key] = [holder[key]]
            case "add" if isinstance(holder, dict):
                holder[draw(st.sampled_from(KEYS))] = draw(JUNK)
            case _:
                holder[key] = json.dumps(holder[key])
    whole = draw(st.sampled_from([body, body, body, {"data": body}, {"code": "success", "message": "", "data": body}]))
    return draw(st.sampled_from([whole, whole, whole, [whole], {"success": False, **whole}]))


def encoded(body):
    """Write a body as bytes; endless integers are written by hand, since Python declines to."""
    try:
        return json.dumps(body).encode()
    except ValueError:
        return b'{"id": ' + b"9" * 5000 + b"}"


def is_sound_text(text):
    """Tell whether a text can be printed and stored."""
    return isinstance(text, str) and text.isprintable()


def check_task(task):
    """Check what every decoded task promises to the floors above."""
    assert task.id
    assert is_sound_text(task.id)
    assert is_sound_text(task.status_text)
    assert task.progress is None or 0 <= task.progress <= 100
    assert all(file.url.lower().startswith(("https://", "http://")) for file in task.files)
    assert task.completed or not task.files
    assert (task.error is not None) == (task.finished and not task.completed)
    for moment in (task.created_at, task.completed_at, task.expires_at):
        assert moment is None or (isinstance(moment, datetime) and moment.utcoffset() is not None)
    assert task.cost is None or (isinstance(task.cost, Decimal) and task.cost.is_finite())
    for text in (task.model, task.client_business_id, task.error and task.error.code):
        assert text is None or is_sound_text(text)
    if task.error is not None:
        check_error(task_failed_error(task))


def check_error(error):
    """Check what every error promises: one printable line each, no key, picklable, judged."""
    assert isinstance(error, ToAPIsError)
    assert is_sound_text(error.message)
    assert error.hint
    assert len(error.message) < 1000
    assert "sk-abcdef" not in str(error)
    assert knowledge_of(error) in Knowledge
    assert stops_everything(error) in {True, False}
    assert proves_absence(error) in {True, False}
    assert str(error) == str(pickle.loads(pickle.dumps(error)))


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(mutated_bodies(), st.sampled_from([None, "asked"]), st.integers(300, 599))
def test_no_reply_raises_outside_the_family(body, asked, http_status):
    """Whatever a reply holds, each reader returns a sound value or raises an error of the family."""
    reply = HttpReply(200, {"content-type": "application/json"}, encoded(body))
    for read in (upload_from, balance_from, models_from):
        try:
            read(reply)
        except ToAPIsError as error:
            check_error(error)
    try:
        task = task_from(reply, kind="image", asked=asked)
    except ToAPIsError as error:
        check_error(error)
        knowledge = knowledge_of(error)
    else:
        assert isinstance(task, GenerationTask)
        check_task(task)
        knowledge = Knowledge.ACCEPTED
    assert knowledge in {Knowledge.ACCEPTED, Knowledge.UNKNOWN}
    check_error(error_from(HttpReply(http_status, {}, reply.body), asked_for="POST /images/generations", now=0.0))


@settings(max_examples=max(100, EXAMPLES // 5))
@given(st.binary(max_size=300), st.integers(200, 599), st.text(max_size=40))
def test_no_bytes_raise_outside_the_family(body, http_status, header):
    """Bytes that are no JSON, and headers that are no headers, come out as errors of the family."""
    reply = HttpReply(http_status, {"Retry-After": header, "X-Request-Id": header}, body)
    check_error(error_from(reply, asked_for="POST /images/generations", now=0.0))
    try:
        check_task(task_from(reply, kind="video"))
    except ToAPIsError as error:
        check_error(error)


def test_extremes_that_no_strategy_draws():
    """Bottomless nesting, endless digits, doubled keys, foreign encodings, a byte order mark."""
    for body in (
        b"[" * 1_000_000,
        b'{"id":' * 100_000,
        b'{"a":' * 300 + b"1" + b"}" * 300,
        b'{"id":' + b"9" * 100_000 + b"}",
        b'{"id":"a","id":["b"],"status":"queued","status":{}}',
        b"\xff\xfe\x00\xd8",
        b'"text"',
        b"null",
        b"",
    ):
        reply = HttpReply(200, {}, body)
        try:
            check_task(task_from(reply, kind="image", asked="asked"))
        except ToAPIsError as error:
            check_error(error)
        check_error(error_from(HttpReply(500, {}, body), asked_for="POST /images/generations", now=0.0))

    with_mark = '\ufeff{"id":"tsk_1","status":"queued"}'.encode()
    assert task_from(HttpReply(200, {}, with_mark), kind="image").id == "tsk_1"
    assert task_in({}, kind="image") is None
