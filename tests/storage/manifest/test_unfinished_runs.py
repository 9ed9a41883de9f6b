"""What lies beside a manifest of runs that may have something in flight."""

import json

import pytest

from toapis_async.errors import StorageError
from toapis_async.storage.manifest.unfinished_runs import UNFINISHED_NAME, UnfinishedRuns, read_unfinished


async def opened(directory, run_id):
    runs = UnfinishedRuns(directory, run_id)
    await runs.read()
    return runs


async def test_it_is_written_before_the_first_attempt_and_when_there_are_more(tmp_path):
    """Each higher number is there when it is allowed; a lower one costs nothing."""
    runs = await opened(tmp_path, "0000000a")
    assert read_unfinished(tmp_path) == {}
    await runs.allow(1)
    assert read_unfinished(tmp_path) == {"0000000a": 1}
    await runs.allow(3)
    (tmp_path / UNFINISHED_NAME).unlink()
    await runs.allow(2)
    assert read_unfinished(tmp_path) == {}


async def test_runs_of_other_journals_stay(tmp_path):
    """A run strikes out itself, and nobody else."""
    await (await opened(tmp_path, "0000000a")).allow(2)
    later = await opened(tmp_path, "0000000b")
    await later.allow(1)
    assert (later.others, later.before) == ({"0000000a": 2}, 0)
    await later.strike_out()
    assert read_unfinished(tmp_path) == {"0000000a": 2}
    again = await opened(tmp_path, "0000000a")
    assert (again.others, again.before) == ({}, 2)
    await again.strike_out()
    assert not (tmp_path / UNFINISHED_NAME).exists()


async def test_only_its_owner_reads_it(tmp_path):
    """It lies where results are handed out from."""
    await (await opened(tmp_path, "0000000a")).allow(1)
    assert (tmp_path / UNFINISHED_NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "no JSON",
        '{"runs": 1}',
        '{"runs": {"../x": 1}}',
        '{"runs": {"0000000a": -1}}',
        '{"runs": {"0000000a": 1e9}}',
    ],
)
def test_another_file_is_refused(tmp_path, text):
    """Nothing is sent where it cannot be told what is in flight; the error says what to do."""
    (tmp_path / UNFINISHED_NAME).write_text(text)
    with pytest.raises(StorageError, match="Remove it"):
        read_unfinished(tmp_path)


def test_an_empty_file_names_nobody(tmp_path):
    """A power cut may leave one of a run that had sent nothing."""
    (tmp_path / UNFINISHED_NAME).touch()
    assert read_unfinished(tmp_path) == {}
    (tmp_path / UNFINISHED_NAME).write_text(json.dumps({"runs": {}}))
    assert read_unfinished(tmp_path) == {}
