"""The fold of the journal's events, and what it makes a run do next."""

import random
from collections.abc import Sequence

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toapis_async.policy.money.recovery import SETTLES_NOTHING, Step, apply, next_step
from toapis_async.values.files import SavedFile
from toapis_async.values.records import (
    Accepted,
    FailedForGood,
    FilesGone,
    Finished,
    Intended,
    ItemRecord,
    ItemState,
    JournalEvent,
    NotAccepted,
    SavedToDisk,
    Troubled,
)
from toapis_async.values.requests import ImageRequest, VideoRequest

REQUEST = ImageRequest("a house")
FILE = SavedFile(uri="out/a.png", bytes=1, sha256="", mime="image/png")  # type: ignore[arg-type]


def intended(attempt: int = 1, at: float = 1.0) -> Intended:
    return Intended(key="a", attempt=attempt, client_business_id=f"run-a-{attempt}", request=REQUEST, at=at)


def accepted(task: str = "t1", attempt: int = 1, at: float = 2.0) -> Accepted:
    return Accepted(key="a", attempt=attempt, task_id=task, kind="image", at=at)


def not_accepted(attempt: int = 1, at: float = 2.0) -> NotAccepted:
    return NotAccepted(key="a", attempt=attempt, at=at)


def finished(task: str = "t1", at: float = 3.0) -> Finished:
    return Finished(key="a", task_id=task, urls=(f"https://f/{task}",), expires_at=9.0, cost_usd="0.02", at=at)


def saved(at: float = 4.0) -> SavedToDisk:
    return SavedToDisk(key="a", files=(FILE,), at=at)


def failed(error_type: str = "TaskFailedError", at: float = 5.0) -> FailedForGood:
    return FailedForGood(key="a", error_type=error_type, message="no", at=at)


def fold(events: Sequence[JournalEvent]) -> ItemRecord | None:
    record = None
    for event in events:
        record = apply(record, event)
    return record


def state(*events: JournalEvent) -> tuple[ItemState, str | None]:
    record = fold(events)
    assert record is not None
    return record.state, record.task_id


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([intended()], (ItemState.INTENDED, None)),
        ([intended(), not_accepted()], (ItemState.OPEN, None)),
        ([intended(), accepted()], (ItemState.ACCEPTED, "t1")),
        ([intended(), accepted(), finished()], (ItemState.FINISHED, "t1")),
        ([intended(), accepted(), finished(), saved()], (ItemState.SAVED, "t1")),
        ([intended(), accepted(), failed()], (ItemState.FAILED, "t1")),
        ([intended(), failed("InvalidRequestError")], (ItemState.FAILED, None)),
        ([intended(), not_accepted(), failed("APIConnectionError")], (ItemState.FAILED, None)),
        ([intended(), not_accepted(), intended(2), accepted("t2", 2)], (ItemState.ACCEPTED, "t2")),
        ([intended(), accepted(), failed(), intended(2, at=6.0)], (ItemState.INTENDED, None)),
        ([intended(), finished()], (ItemState.FINISHED, "t1")),
        ([intended(), not_accepted(), intended()], (ItemState.INTENDED, None)),
        ([intended(), failed("InvalidRequestError"), intended(at=6.0)], (ItemState.INTENDED, None)),
    ],
)
def test_ordinary_lives(events: list[JournalEvent], expected: tuple[ItemState, str | None]) -> None:
    """The events of an ordinary life lead to the state of the same name."""
    assert state(*events) == expected


def test_a_record_holds_what_its_events_said() -> None:
    """Each fact of an event is in the record, and a fresh attempt forgets those of the last one."""
    record = fold([intended(), accepted(), finished(), saved()])
    assert record == ItemRecord(
        key="a",
        state=ItemState.SAVED,
        attempt=1,
        client_business_id="run-a-1",
        request=REQUEST,
        task_id="t1",
        kind="image",
        accepted_at=2.0,
        urls=("https://f/t1",),
        expires_at=9.0,
        cost_usd="0.02",
        files=(FILE,),
        intended_at=1.0,
        ended_at=4.0,
    )
    again = apply(record, intended(2, at=7.0))
    assert again == ItemRecord(
        key="a",
        state=ItemState.INTENDED,
        attempt=2,
        client_business_id="run-a-2",
        request=REQUEST,
        doubtful=True,
        past_task_ids=("t1",),
        intended_at=7.0,
    )


def test_kind_follows_the_request_before_any_task_is_known() -> None:
    """A video's attempt is asked for at the videos' address, so its record says so from the beginning."""
    event = attrs.evolve(intended(), request=VideoRequest("a dog", model="sora-2"))
    record = apply(None, event)
    assert record is not None
    assert record.kind == "video"


@pytest.mark.parametrize(
    "event",
    [accepted(), not_accepted(), finished(), saved(), failed(), Troubled(key="a", error_type="", message="", at=1)],
)
def test_events_without_an_intent_leave_nothing(event: JournalEvent) -> None:
    """Without an intent there is no request to go on with, so there is no record."""
    assert apply(None, event) is None


@pytest.mark.parametrize(
    ("late", "events"),
    [
        (not_accepted(1), [intended(), not_accepted(), intended(2)]),
        (not_accepted(1), [intended(), accepted()]),
        (not_accepted(2), [intended()]),
        (intended(1), [intended(), accepted()]),
        (intended(1), [intended(), accepted(), finished(), saved()]),
        (intended(1), [intended(), not_accepted(), intended(2)]),
        (accepted(), [intended(), accepted(), finished()]),
        (accepted(), [intended(), accepted(), failed()]),
        (accepted(), [intended(), accepted(), failed(), intended(2, at=6.0)]),
        (finished(), [intended(), accepted(), failed(), intended(2, at=6.0)]),
        (failed(at=5.0), [intended(), accepted(), failed(at=5.0), intended(2, at=6.0), accepted("t2", 2, at=7.0)]),
        (failed(at=3.0), [intended(), accepted(), saved(at=4.0)]),
        (Troubled(key="a", error_type="DownloadError", message="no", at=9.0), [intended(), accepted(), failed()]),
    ],
)
def test_late_and_repeated_events_change_nothing(late: JournalEvent, events: list[JournalEvent]) -> None:
    """An event that tells of something overtaken leaves the record as it was."""
    record = fold(events)
    assert apply(record, late) == record


def test_accepted_older_attempt_is_taken_up() -> None:
    """A task of an attempt that was thought lost is worth more than a doubt about the next attempt."""
    record = fold([intended(), intended(2), accepted("t1", 1)])
    assert record is not None
    assert (record.state, record.task_id, record.attempt, record.doubtful) == (ItemState.ACCEPTED, "t1", 2, True)
    settled = apply(record, not_accepted(2))
    assert settled == attrs.evolve(record, doubtful=False)


def test_doubt_comes_back_when_the_known_task_fails() -> None:
    """When the task in hand fails, an attempt of unknown fate beside it is asked for before anything is sent."""
    events = [intended(), intended(2), accepted("t1", 1), failed()]
    assert state(*events) == (ItemState.INTENDED, None)
    assert state(*events, accepted("t1", 1)) == (ItemState.INTENDED, None)


def test_second_accepted_task_is_kept_in_reserve() -> None:
    """Of two tasks for one item, one is waited for; when it fails, the other is, and only then has the item failed."""
    both = [intended(), intended(2), accepted("t1", 1), accepted("t2", 2)]
    record = fold(both)
    assert record is not None
    assert (record.task_id, record.spare_task_ids, record.doubtful) == ("t1", ("t2",), False)
    assert state(*both, failed()) == (ItemState.ACCEPTED, "t2")
    assert state(*both, failed(), failed()) == (ItemState.FAILED, "t2")
    assert state(*both, finished("t2")) == (ItemState.FINISHED, "t2")
    assert state(*both, finished("t2"), failed()) == (ItemState.ACCEPTED, "t1")


def test_intent_beside_an_accepted_task_does_not_forget_it() -> None:
    """Whatever made a run send a second attempt, the task of the first stays in hand and the second is a doubt."""
    record = fold([intended(), accepted(), intended(2)])
    assert record is not None
    assert (record.state, record.task_id, record.doubtful, record.attempt) == (ItemState.ACCEPTED, "t1", True, 2)


@pytest.mark.parametrize("error_type", sorted(SETTLES_NOTHING))
def test_errors_that_settle_nothing_end_nothing(error_type: str) -> None:
    """A failure whose name says that nothing is known is kept as a remark: doubts stay doubts, tasks stay in hand."""
    for events in ([intended()], [intended(), accepted()], [intended(), accepted(), finished()]):
        before = fold(events)
        after = apply(before, failed(error_type))
        assert before is not None
        assert after == attrs.evolve(before, error_type=error_type, error_message="no")


def test_trouble_is_a_remark() -> None:
    """What a run could not do is kept with the item until it gets on, and moves it nowhere."""
    trouble = Troubled(key="a", error_type="DownloadError", message="no", at=4.0)
    record = fold([intended(), accepted(), finished(), trouble])
    assert record is not None
    assert (record.state, record.error_type) == (ItemState.FINISHED, "DownloadError")
    done = apply(record, saved(at=5.0))
    assert done is not None
    assert done.error_type is None


@pytest.mark.parametrize(
    ("events", "settings_", "expected"),
    [
        ([], {}, Step.SUBMIT),
        ([intended(), not_accepted()], {}, Step.SUBMIT),
        ([intended()], {}, Step.RECONCILE),
        ([intended()], {"resubmit_unknown": True}, Step.RECONCILE),
        ([intended()], {"asked": True}, Step.REPORT_UNKNOWN),
        ([intended()], {"asked": True, "resubmit_unknown": True}, Step.SUBMIT),
        ([intended(), accepted()], {"asked": True, "resubmit_unknown": True, "retry_failed": True}, Step.POLL),
        ([intended(), accepted(), finished()], {"retry_failed": True}, Step.DOWNLOAD),
        ([intended(), accepted(), finished(), saved()], {"retry_failed": True}, Step.SKIP),
        ([intended(), accepted(), finished(), saved()], {"files_intact": False}, Step.DOWNLOAD),
        ([intended(), failed("ContentPolicyError")], {}, Step.SUBMIT),
        ([intended(), accepted(), failed()], {}, Step.REPORT_FAILED),
        ([intended(), accepted(), failed()], {"retry_failed": True}, Step.SUBMIT),
    ],
)
def test_next_step(events: list[JournalEvent], settings_: dict[str, bool], expected: Step) -> None:
    """Each state has one next step, under the settings that change it."""
    wishes = {"retry_failed": False, "resubmit_unknown": False} | settings_
    assert next_step(fold(events), **wishes) is expected


ATTEMPTS = st.integers(1, 4)
TASKS = st.sampled_from(["t1", "t2", "t3"])
TIMES = st.integers(0, 6).map(float)
ANY_EVENT: st.SearchStrategy[JournalEvent] = st.one_of(
    st.builds(intended, ATTEMPTS, TIMES),
    st.builds(accepted, TASKS, ATTEMPTS, TIMES),
    st.builds(not_accepted, ATTEMPTS, TIMES),
    st.builds(finished, TASKS, TIMES),
    st.builds(saved, TIMES),
    st.builds(failed, st.sampled_from(["TaskFailedError", "InvalidRequestError", "APITimeoutError"]), TIMES),
    st.builds(lambda at: Troubled(key="a", error_type="DownloadError", message="", at=at), TIMES),
    st.builds(lambda at: FilesGone(key="a", at=at), TIMES),
)
WISHES = st.fixed_dictionaries(
    {name: st.booleans() for name in ("retry_failed", "resubmit_unknown", "asked", "files_intact")}
)


@settings(max_examples=600)
@given(events=st.lists(ANY_EVENT, max_size=14), wishes=WISHES)
def test_an_accepted_task_is_never_sent_again(events: list[JournalEvent], wishes: dict[str, bool]) -> None:
    """Whatever the events and their order: while fewer failures than accepted tasks are known, nothing is sent."""
    begun = next((index for index, event in enumerate(events) if isinstance(event, Intended)), len(events))
    known = events[begun:]
    tasks = {event.task_id for event in known if isinstance(event, Accepted)}
    ends = sum(isinstance(event, FailedForGood | SavedToDisk) for event in known)
    if len(tasks) > ends:
        assert next_step(fold(events), **wishes) in {Step.POLL, Step.DOWNLOAD, Step.SKIP}


@settings(max_examples=600)
@given(events=st.lists(ANY_EVENT, max_size=14))
def test_records_stay_in_their_right_mind(events: list[JournalEvent]) -> None:
    """States and facts agree, attempts never count back, and repeating the last event changes nothing."""
    record: ItemRecord | None = None
    for event in events:
        before, record = record, apply(record, event)
        if before is not None:
            assert record is not None
            assert record.attempt >= before.attempt
    if record is None:
        return
    if record.state in {ItemState.INTENDED, ItemState.OPEN}:
        assert (record.task_id, record.spare_task_ids) == (None, ())
    if record.state in {ItemState.ACCEPTED, ItemState.FINISHED}:
        assert record.task_id is not None
    if record.state is ItemState.INTENDED:
        assert record.doubtful
    if record.state in {ItemState.OPEN, ItemState.FAILED}:
        assert not record.doubtful
    ids = [*record.spare_task_ids, *record.past_task_ids, *([record.task_id] if record.task_id else [])]
    assert len(set(ids)) == len(ids)
    if not isinstance(events[-1], FailedForGood):
        assert apply(record, events[-1]) == record


@attrs.define
class Gateway:
    """A gateway that keeps client ids, seen from one item; it loses replies and breaks connections.

    Attributes:
        accepted: the task of each reference that it took.
        posts: every reference that was sent, in order.

    """

    rng: random.Random
    accepted: dict[str, str] = attrs.field(factory=dict)
    posts: list[str] = attrs.field(factory=list)

    def post(self, reference: str) -> str:
        """Take a POST, or not, and answer, or not: ``accepted``, ``refused`` or ``nothing``."""
        self.posts.append(reference)
        what = self.rng.choice(["accepted", "refused", "lost before", "lost after"])
        if what in {"accepted", "lost after"}:
            self.accepted[reference] = f"task-{reference}"
        return "nothing" if what.startswith("lost") else what


class Crash(Exception):
    """The power went out."""


@attrs.define
class Life:
    """One item through runs that end at any instant; what is durable survives, what was noted may be lost.

    Attributes:
        durable: events on the disk.
        noted: events on their way there.

    """

    gateway: Gateway
    rng: random.Random
    crash_chance: float
    durable: list[JournalEvent] = attrs.field(factory=list)
    noted: list[JournalEvent] = attrs.field(factory=list)
    now: float = 0.0

    def record(self, event: JournalEvent) -> None:
        self.note(event)
        self.durable += self.noted
        self.noted = []
        self.maybe_crash()

    def note(self, event: JournalEvent) -> None:
        self.now += 1.0
        self.noted.append(attrs.evolve(event, at=self.now))
        self.maybe_crash()

    def maybe_crash(self) -> None:
        if self.rng.random() < self.crash_chance:
            # Events reach the disk in order: a beginning of what was noted may have.
            self.durable += self.noted[: self.rng.randint(0, len(self.noted))]
            self.noted = []
            raise Crash

    def run(self) -> None:
        """Do what the policy says until the item is saved."""
        while True:
            record = fold(self.durable + self.noted)
            step = next_step(record, retry_failed=False, resubmit_unknown=False)
            if step is Step.SKIP:
                return
            {
                Step.SUBMIT: self.submit,
                Step.RECONCILE: self.reconcile,
                Step.POLL: self.poll,
                Step.DOWNLOAD: self.download,
            }[step](record)

    def submit(self, record: ItemRecord | None) -> None:
        attempt = 1 if record is None else record.attempt + 1
        self.record(intended(attempt))
        self.maybe_crash()
        answer = self.gateway.post(f"run-a-{attempt}")
        self.maybe_crash()
        if answer == "accepted":
            self.note(accepted(f"task-run-a-{attempt}", attempt))
        elif answer == "refused":
            self.note(not_accepted(attempt))

    def reconcile(self, record: ItemRecord | None) -> None:
        assert record is not None
        task = self.gateway.accepted.get(record.client_business_id)
        self.note(not_accepted(record.attempt) if task is None else accepted(task, record.attempt))

    def poll(self, record: ItemRecord | None) -> None:
        assert record is not None
        assert record.task_id is not None
        self.note(finished(record.task_id))

    def download(self, record: ItemRecord | None) -> None:
        assert record is not None
        self.maybe_crash()
        self.note(saved())


@settings(max_examples=300)
@given(seed=st.integers(0, 2**32), crash_chance=st.sampled_from([0.0, 0.1, 0.3]))
def test_crashes_at_any_instant_never_pay_twice(seed: int, crash_chance: float) -> None:
    """Through lost replies and power cuts at every instant, an item is saved and exactly one task was charged."""
    rng = random.Random(seed)
    gateway = Gateway(rng)
    life = Life(gateway, rng, crash_chance)
    for _ in range(2000):
        try:
            life.run()
            break
        except Crash:
            continue
    else:
        raise AssertionError("the item was never saved")
    assert len(gateway.accepted) == 1
    assert len(set(gateway.posts)) == len(gateway.posts)
