"""The task object where no sample shows it: wrappers, ids, words, places of links, money."""

import base64
from decimal import Decimal

import pytest

from toapis_async.values.tasks import Billing, TaskFailure, TaskFile, TaskStatus
from toapis_async.wire.tasks import address_of, file_address_of, result_excerpt, task_in

A, B = "https://files.toapis.com/a.png", "https://files.toapis.com/b.png"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", TaskStatus.PENDING),
        ("submitted", TaskStatus.SUBMITTED),
        ("queued", TaskStatus.QUEUED),
        ("in_progress", TaskStatus.IN_PROGRESS),
        ("IN_PROGRESS", TaskStatus.IN_PROGRESS),
        ("in-progress", TaskStatus.IN_PROGRESS),
        ("In Progress", TaskStatus.IN_PROGRESS),
        ("processing", TaskStatus.IN_PROGRESS),
        ("running", TaskStatus.IN_PROGRESS),
        ("generating", TaskStatus.IN_PROGRESS),
        ("NOT_START", TaskStatus.PENDING),
        ("completed", TaskStatus.COMPLETED),
        ("succeeded", TaskStatus.COMPLETED),
        ("success", TaskStatus.COMPLETED),
        ("SUCCESS", TaskStatus.COMPLETED),
        ("done", TaskStatus.COMPLETED),
        ("failed", TaskStatus.FAILED),
        ("FAILURE", TaskStatus.FAILED),
        ("error", TaskStatus.FAILED),
        ("cancelled", TaskStatus.FAILED),
        ("canceled", TaskStatus.FAILED),
        ("expired", TaskStatus.FAILED),
        ("rejected", TaskStatus.FAILED),
        ("warming_up", TaskStatus.UNRECOGNISED),
        ("unrecognised", TaskStatus.UNRECOGNISED),
        ("", TaskStatus.UNRECOGNISED),
    ],
)
def test_status_words(word, status):
    """Known words in any case; an unknown one means not finished, and is kept."""
    task = task_in({"id": "t", "status": word}, kind="image")

    assert (status, word) == (task.status, task.status_text)


@pytest.mark.parametrize(("value", "text"), [(None, ""), (5, "5"), ([], ""), ({}, ""), (True, ""), ("a\x07", "a")])
def test_a_status_that_is_no_word(value, text):
    """Anything else is not finished."""
    task = task_in({"id": "t", "status": value}, kind="image")

    assert (task.status, task.status_text) == (TaskStatus.UNRECOGNISED, text)


@pytest.mark.parametrize(
    ("said", "asked", "task_id"),
    [
        ({"id": "a"}, None, "a"),
        ({"task_id": "b"}, None, "b"),
        ({"id": "a", "task_id": "b"}, None, "a"),
        ({"id": "a", "task_id": "b", "object": "generation.task"}, None, "a"),
        ({"id": "a", "task_id": "b", "object": "video"}, None, "b"),
        ({"id": "a", "task_id": "b", "object": "video"}, "a", "a"),
        ({"id": "a", "task_id": "b"}, "b", "b"),
        ({"id": "a"}, "order_1", "a"),
        ({"status": "queued"}, "tsk_1", "tsk_1"),
        ({"id": "", "status": "queued"}, "tsk_1", "tsk_1"),
        ({"id": 17, "status": "queued"}, None, "17"),
        ({"status": "queued"}, None, None),
        ({"id": 0, "status": "queued"}, None, None),
        ({"id": "a\nb", "status": "queued"}, None, None),
        ({"progress": 5}, "tsk_1", None),
        ({}, "tsk_1", None),
        ({"error": {"message": "no"}}, "tsk_1", None),
    ],
)
def test_ids(said, asked, task_id):
    """The id that can be looked up; what we asked for where the reply leaves it out; else no task."""
    task = task_in(said, kind="video", asked=asked)

    assert task_id == (None if task is None else task.id)


@pytest.mark.parametrize(
    ("whole", "task_id", "status"),
    [
        ({"code": "success", "message": "", "data": {"task_id": "t", "status": "SUCCESS"}}, "t", "completed"),
        ({"success": True, "data": {"id": "t", "status": "queued"}}, "t", "queued"),
        ({"status": "success", "data": {"id": "t", "status": "pending"}}, "t", "pending"),
        ({"status": 200, "data": {"task_id": "t", "status": "failed"}}, "t", "failed"),
        ({"data": {"id": "t"}}, "t", "unrecognised"),
        ({"id": "outer", "status": "completed", "data": {"id": "inner", "status": "x"}}, "outer", "completed"),
        ({"status": "completed", "data": {"id": "file", "url": A}}, "asked", "completed"),
        ({"data": {"data": {"id": "t", "status": "queued"}}}, None, None),
        ({"data": [{"id": "t", "status": "queued"}]}, None, None),
    ],
)
def test_wrappers(whole, task_id, status):
    """One wrapper is taken off, and its own status is not the task's; the whole is kept."""
    task = task_in(whole, kind="image", asked="asked")

    assert (task_id, status) == ((None, None) if task is None else (task.id, task.status.value))
    assert task is None or task.raw is whole


@pytest.mark.parametrize(
    ("said", "urls"),
    [
        ({"result": {"data": [{"url": A}, {"url": B}]}, "url": "https://h/x"}, (A, B)),
        ({"result": {"data": [{"url": A}, B, {"url": ""}, None, 7, {"b64_json": "x"}]}}, (A, B)),
        ({"result": {"data": {"url": A}}}, (A,)),
        ({"result": {"data": {"characters": [{"id": "c"}]}}}, ()),
        ({"result": {"data": []}, "url": A}, (A,)),
        ({"url": A, "video_url": B}, (A,)),
        ({"video_url": A, "result": {"url": B}}, (A,)),
        ({"result": {"url": A}, "data": [{"url": B}]}, (A,)),
        ({"result": [{"url": A}]}, (A,)),
        ({"result": A}, (A,)),
        ({"data": [{"url": A}], "output": [B]}, (A,)),
        ({"output": A, "outputs": [B]}, (A,)),
        ({"outputs": [A], "images": [B]}, (A,)),
        ({"images": [{"url": A}], "metadata": {"url": B}}, (A,)),
        ({"metadata": {"url": A}}, (A,)),
        ({"result": {"data": "nothing"}, "metadata": []}, ()),
        ({}, ()),
    ],
)
def test_places_of_links(said, urls):
    """The first place that has any link wins, in the contract's order."""
    assert urls == task_in({"id": "t", "status": "completed", **said}, kind="image").urls


def test_links_of_an_unfinished_task_are_not_its_result():
    """A submission may echo the address of a reference."""
    assert task_in({"id": "t", "status": "queued", "metadata": {"url": A}}, kind="image").urls == ()


def test_facts_of_a_file():
    """Format and last frame belong to their file; a layer's further fields are in raw."""
    layer = {"url": A, "format": "mp4", "last_frame_url": B, "z_index": 3}
    task = task_in({"id": "t", "status": "completed", "result": {"data": [layer]}}, kind="video")

    assert task.files == (TaskFile(url=A, format="mp4", last_frame_url=B),)
    assert task.raw["result"]["data"][0]["z_index"] == 3


@pytest.mark.parametrize(
    ("value", "url"),
    [
        (A, A),
        (f" {A}\n", A),
        ("HTTP://127.0.0.1:8000/a.png", "HTTP://127.0.0.1:8000/a.png"),
        ("ftp://h/a", None),
        ("file:///etc/passwd", None),
        ("javascript:alert(1)", None),
        ("data:image/png;base64,aGVsbG8=", None),
        ("/relative", None),
        ("https://h/a\nb", None),
        ("https://h/a b", None),
        ("https://h/" + "x" * 70_000, None),
        ("", None),
        (7, None),
    ],
)
def test_addresses(value, url):
    """Only http(s) addresses on one line are links."""
    assert url == address_of(value)


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        ({"status": "failed"}, TaskFailure(code="failed", message="the gateway gave no reason")),
        ({"status": "FAILURE", "error": None}, TaskFailure(code="FAILURE", message="the gateway gave no reason")),
        ({"status": "failed", "error": {"code": 422}}, TaskFailure(code="422", message="the gateway gave no reason")),
        ({"status": "failed", "error": {"code": "x", "message": "m"}}, TaskFailure(code="x", message="m")),
        ({"status": "failed", "message": "m", "code": 0}, TaskFailure(code=None, message="m")),
        (
            {"status": "failed", "error": {"message": '{"error":{"code":"Risk","message":"m"}}'}},
            TaskFailure(code="Risk", message="m"),
        ),
        ({"status": "queued", "error": {"code": "x"}}, None),
        ({"status": "completed", "error": {"code": "x"}}, None),
    ],
)
def test_failures(said, failure):
    """A failed task has a reason, in the gateway's words where there are any; others have none."""
    assert failure == task_in({"id": "t", **said}, kind="image").error


@pytest.mark.parametrize(
    ("said", "billing"),
    [
        ({"status": "pending"}, Billing(status="pending")),
        (
            {"status": "settled", "credits": "27", "cost_usd": 0.135},
            Billing(status="settled", credits=Decimal(27), cost_usd=Decimal("0.135")),
        ),
        ({"status": 1, "credits": "NaN", "cost_usd": "-1"}, Billing(status="1")),
        ({"cost_usd": True}, None),
        ({}, None),
        ("settled", None),
        (None, None),
    ],
)
def test_billing(said, billing):
    """Amounts are exact decimals; malformed billing costs nothing but itself."""
    assert billing == task_in({"id": "t", "billing": said}, kind="image").billing


@pytest.mark.parametrize(
    ("said", "reference"),
    [
        ({"client_business_id": "b"}, "b"),
        ({"metadata": {"client_business_id": "m"}}, "m"),
        ({"client_business_id": "b", "metadata": {"client_business_id": "m"}}, "b"),
        ({"client_business_id": 7}, "7"),
        ({"client_business_id": ""}, None),
        ({"client_business_id": []}, None),
        ({"metadata": []}, None),
    ],
)
def test_our_reference(said, reference):
    """It is echoed at the top, or in metadata."""
    assert reference == task_in({"id": "t", **said}, kind="image").client_business_id


PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256))
PNG64, JPEG64 = (base64.b64encode(content).decode() for content in (PNG, JPEG))


@pytest.mark.parametrize(
    ("value", "url"),
    [
        (A, A),
        (f" {A}\n", A),
        ("/f/a.png?sig=%2F", "/f/a.png?sig=%2F"),
        ("//files.example/a.png", "//files.example/a.png"),
        ("https://h/a b.png", "https://h/a b.png"),
        ("https://h/红.png", "https://h/红.png"),
        ("https://h/" + "x" * 20_000, "https://h/" + "x" * 20_000),
        ("data:image/png;base64,aGVsbG8=", "data:image/png;base64,aGVsbG8="),
        ("DATA:,x", "DATA:,x"),
        ("data:nothing", None),
        ("files.example/a.png", None),
        ("a.png", None),
        ("../a.png", None),
        ("/", None),
        ("//", None),
        ("https://h/a\nb", None),
        ("ftp://h/a", None),
        ("file:///etc/passwd", None),
        ("javascript:alert(1)", None),
        ("https://h/" + "x" * 70_000, None),
        (7, None),
    ],
)
def test_file_addresses_with_one_reading_are_read(value, url):
    """Relative, spaced and inline addresses say where a file is; what could be two things does not."""
    assert url == file_address_of(value)


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ({"result": {"data": [{"b64_json": PNG64}]}}, "data:;base64," + PNG64),
        ({"result": {"data": [{"b64_json": "data:image/png;base64," + PNG64}]}}, "data:image/png;base64," + PNG64),
        ({"data": [{"image_base64": PNG64}]}, "data:;base64," + PNG64),
        ({"result": {"data": [{"url": PNG64}]}}, "data:;base64," + PNG64),
        ({"images": [PNG64]}, "data:;base64," + PNG64),
        ({"images": [JPEG64]}, "data:;base64," + JPEG64),
        ({"images": ["/9j/a.png"]}, "/9j/a.png"),
        ({"result": {"data": [{"url": A, "b64_json": PNG64}]}}, A),
    ],
)
def test_files_inside_a_reply_are_data_addresses(said, url):
    """Base64 text is told from an address by what it begins with, wherever it stands."""
    task = task_in({"id": "t", "status": "completed", **said}, kind="image")
    assert (url,) == task.urls
    assert (() if url.startswith("data:") else (url,)) == task.lasting_urls


def test_a_still_inside_a_reply_is_read():
    """What a video has beside it may come in either form, too."""
    item = {"url": A, "last_frame_url": PNG64}
    task = task_in({"id": "t", "status": "completed", "result": {"data": [item]}}, kind="video")
    assert task.files[0].last_frame_url == "data:;base64," + PNG64


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            {"result": {"data": [{"url": "files.example/a.png?sig=x"}]}},
            '{"result": {"data": [{"url": "files.example/a.png"}]}}',
        ),
        ({"output": ["\x1b[31m"]}, '{"output": ["\\u001b[31m"]}'),
        ({"result": {"data": []}}, '{"result": {"data": []}}'),
        ({"result": None}, ""),
        ({}, ""),
    ],
)
def test_what_stands_in_place_of_links_is_shown(said, shown):
    """The places of links as they came, for an error: short, printable, without signatures."""
    task = task_in({"id": "t", "status": "completed", "prompt": "private", **said}, kind="image")
    assert shown == result_excerpt(task)


def test_an_excerpt_is_short():
    """Megabytes in place of a link are not shown."""
    task = task_in({"id": "t", "status": "completed", "output": [{"file": "x" * 100_000}]}, kind="image")
    assert len(result_excerpt(task)) <= 200


def test_entries_that_are_no_files_are_told():
    """An error in place of one image, or nothing at all, is beside the files and not forgotten."""
    data = [{"url": A}, {"error": {"code": "refused", "message": "No."}}, None, {"b64_json": ""}, {"url": A}]
    task = task_in({"id": "t", "status": "completed", "result": {"data": data}}, kind="image")
    assert task.urls == (A, A)
    assert task.unread == ('{"error": {"code": "refused", "message": "No."}}', "null", '{"b64_json": ""}')
