"""Complaints in every envelope."""

import json

import pytest

from toapis_async.wire.complaints import Complaint, complaint_in, task_id_in


def nested(levels, core='{"code":"Deep","message":"core"}'):
    """Wrap a vendor's body as JSON text in messages."""
    for _ in range(levels):
        core = json.dumps({"error": {"code": "", "message": core}})
    return json.loads(core)


@pytest.mark.parametrize(
    ("said", "code", "message"),
    [
        ({"error": {"code": "x", "message": "m"}}, "x", "m"),
        ({"error": {"code": 400, "message": "m"}}, "400", "m"),
        ({"error": {"code": "", "message": "m", "type": "new_api_error"}}, None, "m"),
        ({"error": "m"}, None, "m"),
        ({"error": "m", "code": "x"}, "x", "m"),
        ({"error": "", "message": "m"}, None, "m"),
        ({"error": {"code": "x"}, "message": "outer"}, "x", "outer"),
        ({"code": "x", "message": "m"}, "x", "m"),
        ({"success": False, "message": "m"}, None, "m"),
        ({"success": False, "message": "m", "data": None}, None, "m"),
        ({"fail_reason": "m"}, None, "m"),
        ({"detail": [{"msg": "m", "loc": ["body"]}]}, None, "m"),
        ([{"error": {"message": "m"}}], None, "m"),
        (nested(1), "Deep", "core"),
        (nested(3), "Deep", "core"),
        ({"error": {"code": "outer", "message": '{"code":"inner","message":"m"}'}}, "outer", "m"),
        ({"message": '"{\\"message\\":\\"m\\"}"'}, None, "m"),
        ({"message": '{"unheard": "of"}'}, None, '{"unheard": "of"}'),
        ({"message": "{not json"}, None, "{not json"),
        ({"message": "<html><title>502 Bad Gateway</title>"}, None, "502 Bad Gateway"),
        ({"message": 7}, None, ""),
        ({"error": {"error": {"error": {"message": "m"}}}}, None, "m"),
        ({"error": True}, None, ""),
        ({}, None, ""),
        ([], None, ""),
        (None, None, ""),
        ("just words", None, "just words"),
    ],
)
def test_code_and_message(said, code, message):
    """The outermost code that is not empty, and the innermost text."""
    complaint = complaint_in(said)

    assert (code, message) == (complaint.code, complaint.message)


def test_endless_nesting_is_given_up():
    """After four openings the text is shown as it is."""
    assert complaint_in(nested(9)).message.startswith('{"error"')


def test_words_hold_every_code_and_type():
    """What recognises a refusal sees the inner codes too."""
    said = {"error": {"code": "outer", "type": "T", "message": '{"code":"Inner.PrivacyInformation","message":"m"}'}}

    assert complaint_in(said).words == "outer Inner.PrivacyInformation T m"


@pytest.mark.parametrize(
    ("said", "request_id"),
    [
        ({"message": "x (request id: 2026060700)"}, "2026060700"),
        ({"message": "x. Request id: 0217"}, "0217"),
        ({"message": "x", "request_id": "r-1"}, "r-1"),
        ({"error": {"message": "x", "request_id": "r-2"}}, "r-2"),
        ({"message": "x Request ID=abc:1.2"}, "abc:1.2"),
        ({"message": "the request id is missing"}, None),
    ],
)
def test_request_ids(said, request_id):
    """Ids are found in the body and in the text."""
    assert request_id == complaint_in(said).request_id


@pytest.mark.parametrize(
    ("said", "task_id"),
    [
        ({"task_id": "a"}, "a"),
        ({"id": "tsk_img_1"}, "tsk_img_1"),
        ({"id": "b", "object": "generation.task"}, "b"),
        ({"id": "c", "object": "video"}, "c"),
        ({"data": {"task_id": "d"}}, "d"),
        ({"id": "req_1"}, None),
        ({"id": "upload_1", "object": "file"}, None),
        ({"data": {"id": "upload_1"}}, None),
        ({"task_id": "", "id": 0}, None),
        ({"task_id": ["x"], "object": {}}, None),
    ],
)
def test_task_ids(said, task_id):
    """Only what is certainly a task's id counts."""
    assert task_id == task_id_in(said)


def test_a_named_field_is_kept():
    """The field at fault is passed on."""
    assert complaint_in({"error": {"message": "m", "param": "prompt"}}) == Complaint(
        message="m", param="prompt", words="m"
    )
