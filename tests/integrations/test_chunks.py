"""Chunks of rows in any engine: safe when they are run again, on a shared directory and with claims only."""

import asyncio
import os
import pathlib
import pickle
import sys

import attrs
import pytest

from toapis_async.errors import ConfigurationError, ToAPIsError
from toapis_async.integrations.chunk_config import ChunkConfig
from toapis_async.integrations.chunk_rows import COLUMNS, read_rows
from toapis_async.integrations.chunks import ChunkWorker, run_chunk
from toapis_async.policy.waiting.polling import FixedPolling
from toapis_async.testing import Constant, Scenario, Simulator

ROWS = [{"caption": f"fox {number}", "key": f"row-{number}"} for number in range(12)]

ONE_WORKER = """
import pickle, sys
from toapis_async.integrations.chunks import run_chunk
if __name__ == "__main__":
    run_chunk(*pickle.loads(sys.stdin.buffer.read()))
"""


@pytest.fixture
async def gateway():
    scenario = Scenario(files="small", latency=Constant(1.0), lookup_lag=4.0, tier=None)
    async with Simulator(scenario) as sim:
        yield sim


@pytest.fixture(params=["directory", pytest.param("bucket", marks=pytest.mark.s3)])
def config(request, gateway, tmp_path):
    """Give a run on a shared directory, and one with claims only."""
    place, options = str(tmp_path), {}
    if request.param == "bucket":
        place, options = request.getfixturevalue("s3").new_bucket()
    return ChunkConfig(
        run_id="july",
        state=f"{place}/state",
        output=f"{place}/out",
        prompt_column="caption",
        id_column="key",
        store_options=options,
        client={
            "api_key": gateway.api_key,
            "base_url": gateway.base_url,
            "rate_limits": None,
            "polling": FixedPolling(1.0),
        },
    )


async def made(config, rows=ROWS):
    worker = ChunkWorker(config)
    try:
        return await asyncio.wrap_future(worker.submit(rows))
    finally:
        await asyncio.to_thread(worker.close)


async def killed_after(config, seen):
    """Run the chunk in a process of its own, and kill it once so much was seen."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ONE_WORKER, stdin=asyncio.subprocess.PIPE, env=os.environ
    )
    process.stdin.write(pickle.dumps((ROWS, config)))
    process.stdin.write_eof()
    while not seen():
        assert process.returncode is None
        await asyncio.sleep(0.005)
    process.kill()
    await process.wait()


async def test_rows_come_back_with_columns(config, gateway):
    """Each row has the columns that were promised, in the order of the rows."""
    results = await made(config)
    assert [list(COLUMNS)] * 12 == [list(result) for result in results]
    assert all(result["ok"] for result in results)
    assert [f"{config.output}/row-{n}.png" for n in range(12)] == [result["path"] for result in results]
    assert gateway.books.posts == 12


async def test_a_chunk_that_is_done_is_not_done_again(config, gateway):
    """Run again, in the same job or the next, it sends nothing and has the same files."""
    first = await made(config)
    for again in (config, attrs.evolve(config, job="another")):
        results = await made(again)
        assert [result["sha256"] for result in first] == [result["sha256"] for result in results]
        assert {True} == {result["resumed"] for result in results}
    assert gateway.books.posts == 12


async def test_all_files_of_a_row_are_told_and_looked_after(config, gateway, request):
    """A row of several images names them all; one that is lost is fetched again, and the row is not paid twice."""
    config = attrs.evolve(config, columns={"n": "count", "model": "model"})
    rows = [{"caption": "two foxes", "key": "foxes", "count": 2, "model": "gpt-image-2-official"}]
    (first,) = await made(config, rows)
    uris = [file["path"] for file in first["files"]]
    lost = uris[1]
    if lost.startswith("s3://"):
        place, _, name = lost.rpartition("/")
        request.getfixturevalue("s3").store(place).delete(name)
    else:
        pathlib.Path(lost).unlink()
    (again,) = await made(attrs.evolve(config, job="another"), rows)
    assert (first["path"], 2, 1) == (uris[0], len(uris), gateway.books.posts)
    assert first["files"] == again["files"]


async def test_a_worker_that_is_killed_is_paid_once(config, gateway):
    """The next worker takes over what the killed one has sent, and sends the rest."""
    await killed_after(attrs.evolve(config, in_flight=8), lambda: gateway.books.posts >= 5)
    results = await made(config)
    assert [result["error"] for result in results] == [None] * 12
    assert [entry.accepted for entry in gateway.books.by_prompt.values()] == [1] * 12


async def test_a_job_that_is_killed_and_cut_otherwise_is_paid_once(config, gateway):
    """The whole job is killed, and the next one has its rows in other chunks: references tell what was paid."""
    await killed_after(attrs.evolve(config, in_flight=8), lambda: gateway.books.posts >= 5)
    again = attrs.evolve(config, job="another")
    results = [*(await made(again, ROWS[:7])), *(await made(again, ROWS[7:]))]
    assert [result["error"] for result in results] == [None] * 12
    assert [entry.accepted for entry in gateway.books.by_prompt.values()] == [1] * 12


async def test_a_failed_row_is_a_column(config, gateway):
    """A row that cannot be made, or whose task fails, says so; the others have their files."""
    rows = [ROWS[0], {"caption": None, "key": "bad"}, ROWS[1]]
    results = await made(config, rows)
    assert [result["ok"] for result in results] == [True, False, True]
    assert results[1]["error_type"] == "InvalidRequestError"


async def test_a_failed_row_can_be_raised(config):
    """Whoever wants an exception has it."""
    with pytest.raises(ToAPIsError, match="InvalidRequestError"):
        await made(attrs.evolve(config, on_failed="raise"), [{"caption": None, "key": "bad"}])


async def test_the_function_is_plain(config, gateway):
    """An engine calls it with rows and a configuration that pickle."""
    rows = await asyncio.to_thread(run_chunk, ROWS[:2], pickle.loads(pickle.dumps(config)))
    assert [(row["ok"], row["key"]) for row in rows] == [(True, "row-0"), (True, "row-1")]


async def test_a_chunk_that_is_taken_over_sends_nothing_more(config, gateway):
    """Of two live owners the first stops, and nothing is paid for twice."""
    slow = attrs.evolve(config, in_flight=2)
    _, two = await asyncio.gather(made(slow), _later(gateway, config))
    assert all(result["ok"] for result in two), two
    assert [entry.accepted for entry in gateway.books.by_prompt.values()] == [1] * 12


async def _later(gateway, config):
    while gateway.books.posts < 2:
        await asyncio.sleep(0.01)
    return await made(config)


def test_references_are_the_runs_and_rows(tmp_path):
    """The same row of the same run has one reference; of another run, another."""
    config = ChunkConfig(run_id="a", state="s", output="o", prompt_column="caption", id_column="key")
    (one,), (again,), (other,) = (
        read_rows(ROWS[:1], settings)
        for settings in (config, attrs.evolve(config, job="x"), attrs.evolve(config, run_id="b"))
    )
    assert one.client_business_id == again.client_business_id
    assert one.client_business_id != other.client_business_id


def test_equal_rows_without_names_are_different_items():
    """Rows without an id are told apart within their chunk."""
    config = ChunkConfig(run_id="a", state="s", output="o")
    keys = [request.id for request in read_rows([{"prompt": "a fox"}] * 3, config)]
    assert len(set(keys)) == 3


@pytest.mark.parametrize("wrong", [{"run_id": ""}, {"in_flight": 0}, {"on_failed": "x"}, {"state": "ftp://x/y"}])
def test_wrong_settings_are_refused_at_once(wrong):
    """A configuration that cannot be is named where it is made."""
    with pytest.raises(ConfigurationError):
        ChunkConfig(**{"run_id": "a", "state": "s", "output": "o", **wrong})
