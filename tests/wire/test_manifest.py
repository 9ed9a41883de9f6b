"""The manifest's lines, written and read back."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.errors import DownloadError
from toapis_async.values.files import SavedFile
from toapis_async.values.records import ItemRecord, ItemState
from toapis_async.values.requests import ImageRequest
from toapis_async.wire.manifest import EntryStatus, ManifestEntry, manifest_entry_from, manifest_line

OUT = Path("runs") / "out"
RECORD = ItemRecord(
    key="a",
    state=ItemState.SAVED,
    attempt=1,
    client_business_id="run-a-1",
    request=ImageRequest("ein Haus", model="m"),
    task_id="t1",
    accepted_at=1_700_000_001.5,
    expires_at=1_700_086_400.0,
    cost_usd="0.0200",
    files=(SavedFile(uri=OUT / "a.png", bytes=7, sha256="ab", mime="image/png", width=3, height=2, mtime_ns=9),),
    intended_at=1_700_000_000.0,
    ended_at=1_700_000_060.25,
)


def test_a_line_word_for_word() -> None:
    """The line of a saved item, as users' scripts read it."""
    assert manifest_line(RECORD, directory=OUT) == (
        '{"id": "a", "status": "saved", "files": [{"path": "a.png", "bytes": 7, "sha256": "ab", '
        '"mime": "image/png", "width": 3, "height": 2}], "task_id": "t1", "client_business_id": "run-a-1", '
        '"model": "m", "prompt": "ein Haus", "cost_usd": "0.0200", "submitted_at": "2023-11-14T22:13:20.000Z", '
        '"accepted_at": "2023-11-14T22:13:21.500Z", "expires_at": "2023-11-15T22:13:20.000Z", '
        '"ended_at": "2023-11-14T22:14:20.250Z", "error": null}'
    )


def test_a_line_read_back() -> None:
    """Reading gives the same facts, with exact amounts and dates in UTC."""
    assert manifest_entry_from(manifest_line(RECORD, directory=OUT)) == ManifestEntry(
        id="a",
        status="saved",
        files=(SavedFile(uri=Path("a.png"), bytes=7, sha256="ab", mime="image/png", width=3, height=2),),
        task_id="t1",
        client_business_id="run-a-1",
        model="m",
        prompt="ein Haus",
        cost_usd=Decimal("0.0200"),
        submitted_at=datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        accepted_at=datetime(2023, 11, 14, 22, 13, 21, 500_000, tzinfo=UTC),
        expires_at=datetime(2023, 11, 15, 22, 13, 20, tzinfo=UTC),
        ended_at=datetime(2023, 11, 14, 22, 14, 20, 250_000, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ItemState.SAVED, "saved"),
        (ItemState.FAILED, "failed"),
        (ItemState.INTENDED, "unknown"),
        (ItemState.OPEN, "not_sent"),
        (ItemState.ACCEPTED, "unfinished"),
        (ItemState.FINISHED, "unfinished"),
    ],
)
def test_status_follows_the_state(state: ItemState, expected: EntryStatus) -> None:
    """Without another word from the run, the journal's state says how the item stands."""
    assert manifest_entry_from(manifest_line(attrs.evolve(RECORD, state=state))).status == expected


def test_the_run_has_the_last_word() -> None:
    """Status and error given by the run stand before what the record has."""
    record = attrs.evolve(RECORD, state=ItemState.FINISHED, error_type="Old", error_message="old")
    entry = manifest_entry_from(manifest_line(record, status="unfinished", error=DownloadError("gone", hint="Wait.")))
    assert (entry.status, entry.error_type, entry.error_message) == ("unfinished", "DownloadError", "gone\nWait.")
    assert manifest_entry_from(manifest_line(record)).error_type == "Old"


def test_a_doubt_names_its_reference() -> None:
    """An item of unknown fate says which reference to ask the gateway about."""
    entry = manifest_entry_from(manifest_line(attrs.evolve(RECORD, state=ItemState.INTENDED)))
    assert entry.error_type == "SubmissionUnknownError"
    assert "run-a-1" in (entry.error_message or "")


@given(prompt=st.text(st.characters(), max_size=20), key=st.text(st.characters(), max_size=20))
def test_any_text_stays_on_its_line(prompt: str, key: str) -> None:
    """Whatever a user writes, the line is one line to every program, can be stored as UTF-8, and is read back."""
    line = manifest_line(attrs.evolve(RECORD, key=key, request=ImageRequest(prompt, model="m")))
    assert line.encode("utf-8").decode("utf-8").splitlines() == [line]
    entry = manifest_entry_from(line)
    assert (entry.id, entry.prompt) == (key, prompt)


def test_readable_where_it_can_be() -> None:
    """Other scripts than ASCII's are written as they are."""
    assert '"prompt": "日本 ü"' in manifest_line(attrs.evolve(RECORD, request=ImageRequest("日本 ü", model="m")))


@pytest.mark.parametrize("at", [1e300, -1e300, float("inf"), float("nan")])
def test_senseless_times_are_left_out(at: float) -> None:
    """A date that no calendar has is null and no error."""
    assert json.loads(manifest_line(attrs.evolve(RECORD, expires_at=at)))["expires_at"] is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"id": 7, "status": "saved"}',
        '{"id": "a", "status": "gone"}',
        '{"id": "a", "status": []}',
        '{"id": "a", "status": "saved", "files": [{}]}',
        '{"id": "a", "status": "saved", "files": 7}',
        '{"id": "a", "status": "saved", "error": "no"}',
        '{"id": "a", "status": "saved", "ended_at": 7}',
        '{"id": "a", "status": "saved", "files": [{"path": "../x", "bytes": 1, "sha256": "", "mime": ""}]}',
        '{"id": "a", "status": "saved", "files": [{"path": "/etc/x", "bytes": 1, "sha256": "", "mime": ""}]}',
    ],
)
def test_other_lines_are_value_errors(line: str) -> None:
    """What is no line of a manifest, or leads out of its directory, is refused."""
    with pytest.raises(ValueError):
        manifest_entry_from(line)


def test_files_at_an_address_are_read_back() -> None:
    """A file in a bucket has its whole address in the line, beside its name."""
    file = attrs.evolve(RECORD.files[0], uri="s3://bucket/july/a.png", mtime_ns=None)
    line = manifest_line(attrs.evolve(RECORD, files=(file,)), directory=OUT)
    assert '"path": "a.png", "uri": "s3://bucket/july/a.png"' in line
    assert (file,) == manifest_entry_from(line).files


def test_an_address_that_is_a_path_is_refused() -> None:
    """What stands for an address cannot lead to a file of this machine."""
    line = manifest_line(attrs.evolve(RECORD, files=(attrs.evolve(RECORD.files[0], uri="s3://b/a.png"),)))
    with pytest.raises(ValueError, match="no address"):
        manifest_entry_from(line.replace("s3://b/a.png", "/etc/passwd"))


def test_what_was_asked_for_is_written_where_it_was_said() -> None:
    """Size, resolution and seed stand in the line of a request that has them, and come back."""
    request = attrs.evolve(RECORD.request, size="16:9", resolution="2K", seed=7)

    entry = manifest_entry_from(manifest_line(attrs.evolve(RECORD, request=request), directory=OUT))

    assert (entry.size, entry.resolution, entry.seed, entry.looks) == ("16:9", "2K", 7, None)
    assert manifest_entry_from(manifest_line(RECORD, directory=OUT)).seed is None


@pytest.mark.parametrize(
    "line", ["[" * 100_000, '{"id": "a", "status": "saved", "files": [{"path": "a", "bytes": Infinity}]}']
)
def test_a_line_that_breaks_its_reader_is_no_line(line: str) -> None:
    """What is nested too deeply, or has a file of endless length, is refused like any other nonsense."""
    with pytest.raises(ValueError, match="no line of a manifest"):
        manifest_entry_from(line)
