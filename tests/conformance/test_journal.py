"""What every journal promises, run on each of them."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toapis_async.clock import SystemClock
from toapis_async.policy.money.recovery import apply
from toapis_async.storage.journal.memory_journal import MemoryJournal
from toapis_async.storage.journal.port import Journal
from toapis_async.storage.journal.sqlite_journal import SqliteJournal
from toapis_async.values.files import SavedFile
from toapis_async.values.records import (
    Accepted,
    FailedForGood,
    Finished,
    Intended,
    ItemRecord,
    ItemState,
    JournalEvent,
    NotAccepted,
    SavedToDisk,
)
from toapis_async.values.requests import ImageRequest, VideoRequest

OpenJournal = Callable[[], Journal]


@pytest.fixture(params=["memory", "sqlite"])
def open_journal(request: pytest.FixtureRequest, tmp_path: Path) -> OpenJournal:
    """Give what opens the same journal again and again."""
    memory = MemoryJournal()
    return lambda: memory if request.param == "memory" else SqliteJournal(tmp_path / "out", clock=SystemClock())


def intended(key: str = "a", attempt: int = 1, at: float = 1.0) -> Intended:
    return Intended(
        key=key,
        attempt=attempt,
        client_business_id=f"run-{key}-{attempt}",
        request=ImageRequest(f"a picture of {key}"),
        at=at,
    )


def accepted(key: str = "a", attempt: int = 1, task_id: str | None = None) -> Accepted:
    return Accepted(key=key, attempt=attempt, task_id=task_id or f"task-{key}-{attempt}", kind="image", at=2.0)


def finished(key: str = "a", *, expires_at: float | None = 90.0) -> Finished:
    return Finished(
        key=key,
        task_id=f"task-{key}-1",
        urls=(f"https://files/{key}.png",),
        expires_at=expires_at,
        cost_usd="0.02",
        at=3.0,
    )


def saved(path: Path, key: str = "a") -> SavedToDisk:
    file = SavedFile(uri=path, bytes=7, sha256="0" * 64, mime="image/png", width=1, height=2, mtime_ns=3)
    return SavedToDisk(key=key, files=(file,), at=4.0)


async def walk(journal: Journal, *states: ItemState) -> list[str]:
    return [record.key async for record in journal.items(*states)]


async def test_unknown_key_is_none(open_journal: OpenJournal) -> None:
    """A key that was never intended has no record, and events of it leave none."""
    async with open_journal() as journal:
        await journal.record(accepted("ghost"))
        assert await journal.find(["ghost", "other"]) == [None, None]
        assert journal.empty_at_open


async def test_find_sees_what_was_noted(open_journal: OpenJournal) -> None:
    """A lookup sees every event that was handed over before it, durable or not, in the order of its keys."""
    async with open_journal() as journal:
        journal.note(intended("a"))
        journal.note(intended("b"))
        journal.note(accepted("a"))
        b, nothing, a = await journal.find(["b", "c", "a"])
        assert (b and b.state, nothing, a and a.state) == (ItemState.INTENDED, None, ItemState.ACCEPTED)


async def test_everything_survives_reopening(open_journal: OpenJournal, tmp_path: Path) -> None:
    """A record comes back equal after closing and opening, with files, links and dates; so does the run's id."""
    events = [intended(), accepted(), finished(), saved(tmp_path / "out" / "a.png")]
    async with open_journal() as journal:
        run_id = journal.run_id
        for event in events:
            journal.note(event)
        before = await journal.find(["a"])
    async with open_journal() as journal:
        assert run_id == journal.run_id
        assert len(run_id) == 8
        assert int(run_id, 16) >= 0
        assert not journal.empty_at_open
        assert before == await journal.find(["a"])
        record = before[0]
        assert record is not None
        assert events[3] == SavedToDisk(key="a", files=record.files, at=record.ended_at or 0)


async def test_walk_orders_finished_by_expiry(open_journal: OpenJournal) -> None:
    """Finished items come first, the links that die first in front, those without a date last; then by intent."""
    async with open_journal() as journal:
        for key, expires_at in [("late", 300.0), ("never", None), ("soon", 100.0), ("also-soon", 100.0)]:
            journal.note(intended(key))
            journal.note(finished(key, expires_at=expires_at))
        for key in ("z", "y", "x"):
            journal.note(intended(key))
        journal.note(accepted("y"))
        in_order = ["soon", "also-soon", "late", "never"]
        assert in_order == await walk(journal, ItemState.FINISHED)
        assert [*in_order, "z", "y", "x"] == await walk(journal)
        assert await walk(journal, ItemState.INTENDED) == ["z", "x"]
        assert await walk(journal, ItemState.INTENDED, ItemState.ACCEPTED) == ["z", "y", "x"]
        assert await walk(journal, ItemState.SAVED) == []


async def test_walk_goes_through_many_pages(open_journal: OpenJournal) -> None:
    """A walk over more items than a page holds misses none of them, also while they change state."""
    keys = [f"item-{number}" for number in range(1203)]
    async with open_journal() as journal:
        for number, key in enumerate(keys):
            journal.note(intended(key))
            if number % 2:
                journal.note(finished(key, expires_at=float(number)))
        seen = []
        async for record in journal.items():
            seen.append(record.key)
            journal.note(FailedForGood(key=record.key, error_type="TaskFailedError", message="no", at=5.0))
        assert set(keys) == set(seen)
        assert await journal.counts() == {ItemState.FAILED: 1203}


async def test_counts_leave_out_empty_states(open_journal: OpenJournal) -> None:
    """The counts name the states that have items, and no others."""
    async with open_journal() as journal:
        assert await journal.counts() == {}
        for key in ("a", "b", "c"):
            journal.note(intended(key))
        journal.note(accepted("b"))
        assert await journal.counts() == {ItemState.INTENDED: 2, ItemState.ACCEPTED: 1}


async def test_remembers_texts(open_journal: OpenJournal) -> None:
    """Texts are kept under their names, replaced by later ones, and None when never given."""
    async with open_journal() as journal:
        await journal.remember("latencies", "{}")
        await journal.remember("latencies", '{"ä": "\ud800"}')
    async with open_journal() as journal:
        assert await journal.recall("latencies") == '{"ä": "\ud800"}'
        assert await journal.recall("other") is None


async def test_cancelled_waiting_keeps_the_event(open_journal: OpenJournal) -> None:
    """Whoever is cancelled while waiting for an event to be durable leaves the event and the journal whole."""
    async with open_journal() as journal:
        recording = asyncio.ensure_future(journal.record(intended()))
        await asyncio.sleep(0)
        recording.cancel()
        await asyncio.wait([recording])
        await journal.record(accepted())
        (record,) = await journal.find(["a"])
        assert record is not None
        assert record.task_id == "task-a-1"


async def test_many_record_at_once(open_journal: OpenJournal) -> None:
    """Hundreds of waiters at once are all served, each with its own event."""
    keys = [f"item-{number}" for number in range(700)]
    async with open_journal() as journal:
        await asyncio.gather(*(journal.record(intended(key)) for key in keys))
        found = await journal.find(keys)
        assert [f"run-{key}-1" for key in keys] == [record.client_business_id for record in found if record]


KEYS = st.sampled_from(["a", "b", "ключ\ud800\x00"])
TEXTS = st.text(st.characters(), max_size=8)
ATTEMPTS = st.integers(1, 3)
TIMES = st.floats(0, 5, allow_nan=False).map(lambda at: round(at, 1))
TASKS = st.sampled_from(["t1", "t2", "t3", "\udcff"])
REQUESTS = st.builds(ImageRequest, TEXTS, size=st.none() | TEXTS, n=st.integers(1, 4)) | st.builds(
    VideoRequest, TEXTS, model=TEXTS, duration=st.none() | st.floats(1, 9)
)
FILES = st.builds(
    SavedFile,
    uri=st.sampled_from([Path("elsewhere/x.png"), Path("/abs/ä.png")]),
    bytes=st.integers(0, 9),
    sha256=TEXTS,
    mime=TEXTS,
    width=st.none() | st.integers(1, 9),
)
EVENTS: st.SearchStrategy[JournalEvent] = st.one_of(
    st.builds(Intended, key=KEYS, attempt=ATTEMPTS, client_business_id=TEXTS, request=REQUESTS, at=TIMES),
    st.builds(Accepted, key=KEYS, attempt=ATTEMPTS, task_id=TASKS, kind=st.sampled_from(["image", "video"]), at=TIMES),
    st.builds(NotAccepted, key=KEYS, attempt=ATTEMPTS, at=TIMES),
    st.builds(
        Finished,
        key=KEYS,
        task_id=TASKS,
        urls=st.lists(TEXTS, max_size=2).map(tuple),
        expires_at=st.none() | TIMES,
        cost_usd=st.none() | TEXTS,
        at=TIMES,
    ),
    st.builds(SavedToDisk, key=KEYS, files=st.lists(FILES, max_size=2).map(tuple), at=TIMES),
    st.builds(
        FailedForGood,
        key=KEYS,
        error_type=st.sampled_from(["TaskFailedError", "SubmissionUnknownError"]),
        message=TEXTS,
        at=TIMES,
    ),
)


def folded(events: list[JournalEvent]) -> dict[str, ItemRecord]:
    """Fold events as the policy does, without any journal."""
    records: dict[str, ItemRecord] = {}
    for event in events:
        record = apply(records.get(event.key), event)
        if record is not None:
            records[event.key] = record
    return records


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sessions=st.lists(st.lists(st.tuples(EVENTS, st.booleans()), max_size=12), min_size=1, max_size=3))
def test_any_events_fold_as_the_policy_says(
    sessions: list[list[tuple[JournalEvent, bool]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever the events, how they are handed over and where the run stops between them: the records are the fold."""
    out = tmp_path_factory.mktemp("run") / "out"

    async def play(open_again: OpenJournal) -> dict[str, ItemRecord]:
        for events in sessions:
            async with open_again() as journal:
                for event, wait in events:
                    if wait:
                        await journal.record(event)
                    else:
                        journal.note(event)
        async with open_again() as journal:
            return {record.key: record async for record in journal.items()}

    memory = MemoryJournal()
    expected = folded([event for events in sessions for event, _ in events])
    assert expected == asyncio.run(play(lambda: memory))
    at_home = {
        key: attrs.evolve(record, files=tuple(attrs.evolve(f, uri=out / f.path) for f in record.files))
        for key, record in expected.items()
    }
    assert at_home == asyncio.run(play(lambda: SqliteJournal(out, clock=SystemClock())))
