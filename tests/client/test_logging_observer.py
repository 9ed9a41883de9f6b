"""What the log says, and what it never says."""

import logging
import subprocess
import sys

import pytest

from toapis_async import AsyncToAPIs, ImageRequest
from toapis_async.client import logging_observer
from toapis_async.client.dispatching import EventDispatcher
from toapis_async.errors import ConfigurationError, DownloadError, RateLimitError, ToAPIsError, TruncatedError
from toapis_async.ports import events
from toapis_async.testing import FakeClock, Fault, Refuse
from toapis_async.values.tasks import TaskStatus

SECRET = "a secret fox"
KEY = "sk-0123456789"
ERROR = RateLimitError(f"{SECRET} {KEY}", http_status=429)
REQUEST = ImageRequest(SECRET, id="fox-1")

EVERY = [
    (events.AttemptBegun, {"client_business_id": "ours-1", "attempt": 1}, logging.DEBUG),
    (events.AttemptBegun, {"client_business_id": "ours-1", "attempt": 2}, logging.INFO),
    (events.AttemptSettled, {"result": "accepted"}, logging.DEBUG),
    (events.AttemptSettled, {"result": "not_accepted", "error": ERROR}, logging.INFO),
    (events.AttemptSettled, {"result": "in_doubt", "error": ERROR}, logging.WARNING),
    (events.HeldUp, {"limit": "rate"}, logging.DEBUG),
    (events.HeldUp, {"limit": "rate", "seconds": 3.0, "error": ERROR}, logging.INFO),
    (events.TaskLookedAt, {"status": TaskStatus.QUEUED}, logging.DEBUG),
    (events.TaskLookedAt, {"status": None, "error": ERROR}, logging.INFO),
    (events.TaskLate, {}, logging.WARNING),
    (events.TaskFinished, {"status": TaskStatus.COMPLETED, "seconds": 2.0}, logging.DEBUG),
    (events.TaskFinished, {"status": TaskStatus.FAILED}, logging.WARNING),
    (events.TransferBegun, {"host": "f.example"}, logging.DEBUG),
    (events.TransferRetried, {"host": "f.example", "error": TruncatedError(SECRET)}, logging.WARNING),
    (events.TransferDone, {"host": "f.example", "bytes": 3, "seconds": 0.1}, logging.DEBUG),
    (events.LimitChanged, {"limit": "in_flight", "before": 5, "after": 2, "why": "refused"}, logging.INFO),
    (events.CallBegun, {"verb": "generate"}, logging.DEBUG),
    (events.CallEnded, {"verb": "generate", "error": DownloadError(SECRET)}, logging.DEBUG),
    (events.SessionClosed, {}, logging.DEBUG),
    (events.EarlierOutputFound, {"lines": 3}, logging.DEBUG),
    (events.GatewayChanged, {"before": "https://a.example/v1", "after": "https://b.example/v1"}, logging.DEBUG),
    (events.ItemSkipped, {}, logging.DEBUG),
    (events.ItemSaved, {"files": ()}, logging.DEBUG),
    (events.ItemFailed, {"error": DownloadError(SECRET)}, logging.WARNING),
    (events.ItemUnfinished, {"error": ToAPIsError(SECRET)}, logging.WARNING),
]


def test_the_table_is_complete():
    """Every kind of event has its line."""
    assert {kind for kind, _, _ in EVERY} == set(events.Event.__subclasses__())


@pytest.mark.parametrize(("kind", "facts", "level"), EVERY, ids=lambda value: getattr(value, "__name__", None))
def test_each_event_is_a_line_of_its_level(caplog, kind, facts, level):
    """One line each, with the user's own id and the task, and without prompt, key or words of the gateway."""
    caplog.set_level(logging.DEBUG, "toapis_async")
    EventDispatcher(FakeClock()).tell(kind, key="fox-1", request=REQUEST, task_id="tsk_1", **facts)
    (record,) = caplog.records
    assert record.levelno == level
    assert record.name.startswith("toapis_async")
    assert "fox-1" in record.message
    assert "tsk_1" in record.message
    assert SECRET not in record.message
    assert KEY not in record.message


@pytest.mark.parametrize(("kind", "facts", "level"), EVERY, ids=lambda value: getattr(value, "__name__", None))
def test_a_level_that_is_off_writes_nothing(caplog, kind, facts, level):
    """Above its own level an event leaves no line; below it one."""
    for shown in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        caplog.clear()
        caplog.set_level(shown, "toapis_async")
        EventDispatcher(FakeClock()).tell(kind, **facts)
        assert (level >= shown) == len(caplog.records)


def test_an_event_that_nobody_wants_is_not_even_made(caplog):
    """Without observers and with the log off for its gravest line, an event costs a look into a table."""
    caplog.set_level(logging.WARNING, "toapis_async")
    EventDispatcher(FakeClock()).tell(lambda **_: pytest.fail("made"))


@pytest.mark.parametrize(
    ("kind", "facts"),
    [(events.AttemptSettled, {"result": "accepted"}), (events.TaskFinished, {"status": TaskStatus.COMPLETED})],
)
def test_what_goes_well_is_not_made_for_warnings(caplog, kind, facts):
    """What would be grave if it had gone wrong asks for no date when it has gone well."""
    caplog.set_level(logging.WARNING, "toapis_async")
    EventDispatcher(None).tell(kind, **facts)


def test_a_key_of_ours_is_not_shown():
    """An item without an id of its own goes by words of its prompt; they stay out of the log."""
    event = events.TaskLate(at=0.0, key="a-secret-fox-1234", request=ImageRequest(SECRET), task_id="tsk_1")
    assert logging_observer._whose(event) == "task 'tsk_1'"


def test_foreign_names_cannot_break_the_line(caplog):
    """A line break in an id or a host is shown as one, and does not begin a line of its own."""
    caplog.set_level(logging.DEBUG, "toapis_async")
    dispatcher = EventDispatcher(FakeClock())
    dispatcher.tell(events.TransferBegun, task_id="tsk\n1", host="f\r\nexample")
    assert not set("\r\n") & set(caplog.records[0].message)


async def test_a_broken_run_can_be_read_from_the_log(live, tmp_path, caplog):
    """A session against a gateway that refuses leaves lines at INFO, and none of them has the prompt or the key."""
    caplog.set_level(logging.INFO, "toapis_async")
    busy = Fault(where="submit", what=Refuse(reply="rate_limited", retry_after=0.2), nth=(1, 2))
    async with live(faults=[busy]) as (sim, client):
        async with client.session(tmp_path) as session:
            await session.run([ImageRequest(SECRET)])
        lines = [record.getMessage() for record in caplog.records if record.name.startswith("toapis_async")]
        assert any("held up" in line for line in lines)
        assert any("attempt 2" in line for line in lines)
        text = "\n".join(lines)
        assert not [word for word in (SECRET, "a-secret-fox", sim.api_key) if word in text]


PROGRAM = """
import asyncio, logging
from toapis_async import AsyncToAPIs
client = AsyncToAPIs(api_key="sk-1")
client._gateway.events.tell(__import__("toapis_async").TaskLate, task_id="tsk_1")
asyncio.run(client.aclose())
"""


@pytest.mark.parametrize(("word", "lines"), [(None, 0), ("warning", 1), ("INFO", 1)])
def test_the_environment_switches_the_log_on(word, lines, monkeypatch):
    """TOAPIS_LOG shows lines on stderr; without it a program that set up no logging sees none."""
    monkeypatch.delenv("TOAPIS_LOG", raising=False)
    if word is not None:
        monkeypatch.setenv("TOAPIS_LOG", word)
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert lines == done.stderr.count("tsk_1")


def test_a_wrong_word_is_refused(monkeypatch):
    """A level that there is not is a wrong setting, said before anything is sent."""
    monkeypatch.setenv("TOAPIS_LOG", "loud")
    with pytest.raises(ConfigurationError, match="TOAPIS_LOG"):
        AsyncToAPIs(api_key="sk-1")
