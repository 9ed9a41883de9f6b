"""A directory whose journal is gone, old or another's: what manifest and files prove is never bought again."""

import json
import shutil

import attrs
import pytest

from toapis_async import AsyncToAPIs, EarlierOutputFound, FixedPolling, GatewayChanged, ImageRequest
from toapis_async.clock import SystemClock
from toapis_async.storage.journal.sqlite_journal import SqliteJournal, journal_path
from toapis_async.testing import Constant, Simulator
from toapis_async.testing.scenario.settings import Scenario
from toapis_async.values.records import Intended

QUICK = Scenario(latency=Constant(0.05), files="small", tier=None)
WISHES = [ImageRequest(f"fox {n}", id=None if n % 2 else f"i{n}") for n in range(6)]


def client_of(sim):
    return AsyncToAPIs(api_key=sim.api_key, base_url=sim.base_url, rate_limits=None, polling=FixedPolling(0.05))


async def run(sim, directory, requests, **settings):
    async with client_of(sim) as client, client.session(directory, **settings) as session:
        return [outcome async for outcome in session.stream(requests)]


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.glob("[a-z]*.*") if path.suffix != ".jsonl"}


def lines(directory):
    return [json.loads(line) for line in (directory / "manifest.jsonl").read_text().splitlines()]


def forget_journal(directory):
    shutil.rmtree(directory / ".toapis")


def write(directory, *bodies):
    (directory / "manifest.jsonl").write_text("".join(json.dumps(body) + "\n" for body in bodies))


async def test_all_that_the_manifest_proves_is_skipped(tmp_path):
    """Journal gone: nothing is charged, no file changes, the manifest keeps one line each, and listeners hear it."""
    heard = []
    async with Simulator(QUICK) as sim:
        await run(sim, tmp_path, WISHES)
        before = contents(tmp_path)
        forget_journal(tmp_path)
        again = await run(sim, tmp_path, WISHES, on_event=heard.append)
        once_more = await run(sim, tmp_path, WISHES)

        assert [one.resumed for one in again + once_more] == [True] * 12
        assert sim.books.accepted == 6
        assert contents(tmp_path) == before
        assert len({line["id"] for line in lines(tmp_path)}) == len(lines(tmp_path)) == 6
        assert [event.lines for event in heard if isinstance(event, EarlierOutputFound)] == [6]


async def test_new_wishes_are_made_beside_the_old_ones(tmp_path):
    """What the manifest does not have is made, and its old lines stay."""
    async with Simulator(QUICK) as sim:
        await run(sim, tmp_path, WISHES[:3])
        forget_journal(tmp_path)
        outcomes = await run(sim, tmp_path, WISHES[2:])

        assert all(outcome.ok for outcome in outcomes)
        assert sim.books.accepted == 6
        assert len({line["id"] for line in lines(tmp_path)}) == len(lines(tmp_path)) == 6


async def test_the_manifest_of_an_earlier_version(tmp_path):
    """Lines without a digest prove by id, prompt and model; another prompt under the id is refused at no cost."""
    async with Simulator(QUICK) as sim:
        await run(sim, tmp_path, WISHES)
        forget_journal(tmp_path)
        write(tmp_path, *({k: v for k, v in line.items() if k != "request_digest"} for line in lines(tmp_path)))
        again = await run(sim, tmp_path, [*WISHES[1:], ImageRequest("a hare", id="i0")])

        assert sorted(one.ok for one in again) == [False] + [True] * 5
        assert "belongs to another request" in str(next(one.error for one in again if not one.ok))
        assert sim.books.accepted == 6


async def test_a_namespace_is_proved_by_a_digest_only(tmp_path):
    """A line of an earlier version knows no namespace, so that it is no proof for a request that has one."""
    async with Simulator(QUICK) as sim:
        await run(sim, tmp_path, WISHES)
        forget_journal(tmp_path)
        write(tmp_path, *({k: v for k, v in line.items() if k != "request_digest"} for line in lines(tmp_path)))
        [refused] = await run(sim, tmp_path, [attrs.evolve(WISHES[0], namespace="ann")])

        assert "belongs to another request" in str(refused.error)
        assert sim.books.accepted == 6


async def test_other_wishes_under_an_old_id_are_refused(tmp_path):
    """The digest tells a request that differs in its size only."""
    async with Simulator(QUICK) as sim:
        await run(sim, tmp_path, WISHES)
        forget_journal(tmp_path)
        [refused] = await run(sim, tmp_path, [attrs.evolve(WISHES[0], size="16:9")])

        assert "belongs to another request" in str(refused.error)
        assert sim.books.accepted == 6


async def test_files_that_are_gone_too_are_fetched_again(tmp_path):
    """The manifest names the task: its file is fetched once more and not made anew."""
    async with Simulator(QUICK) as sim:
        await run(sim, tmp_path, WISHES)
        before = contents(tmp_path)
        forget_journal(tmp_path)
        for name in before:
            (tmp_path / name).unlink()
        again = await run(sim, tmp_path, WISHES)

        assert [one.ok for one in again] == [True] * 6
        assert contents(tmp_path) == before
        assert sim.books.accepted == 6


@pytest.mark.parametrize("manifest", ["cut", "empty", "missing"])
async def test_a_file_that_nothing_explains_is_not_bought_again(tmp_path, manifest):
    """A manifest that lost lines: the item whose file lies there is refused, with what to do, at no cost."""
    wishes = [ImageRequest(f"fox {n}") for n in range(4)]
    async with Simulator(QUICK) as sim:
        await run(sim, tmp_path, wishes)
        forget_journal(tmp_path)
        path = tmp_path / "manifest.jsonl"
        data = path.read_bytes()
        path.write_bytes({"cut": data[:-40], "empty": b"", "missing": b""}[manifest])
        if manifest == "missing":
            path.unlink()
        again = await run(sim, tmp_path, wishes)

        lost = 1 if manifest == "cut" else 4
        assert sum(not one.ok for one in again) == lost
        assert all("lies in the output directory" in str(one.error) for one in again if not one.ok)
        assert sim.books.accepted == 4


async def test_two_manifests_in_one(tmp_path):
    """Of two lines for one id the saved one counts, wherever it stands."""
    async with Simulator(QUICK) as sim:
        await run(sim, tmp_path, WISHES[:1])
        forget_journal(tmp_path)
        [line] = lines(tmp_path)
        failed = {**line, "status": "failed", "files": [], "task_id": None, "error": {"type": "X", "message": "x"}}
        write(tmp_path, failed, line, failed)
        [again] = await run(sim, tmp_path, WISHES[:1])

        assert again.resumed
        assert sim.books.accepted == 1


@pytest.mark.parametrize("status", ["unfinished", "unknown"])
async def test_what_was_on_its_way_is_gone_on_with(tmp_path, status):
    """A line without files names a task, or a reference to ask for: both are taken up and not bought again."""
    async with Simulator(QUICK) as sim:
        await run(sim, tmp_path, WISHES[:1])
        [line] = lines(tmp_path)
        for path in tmp_path.glob("[a-z]*.*"):
            path.unlink()
        forget_journal(tmp_path)
        write(tmp_path, {**line, "status": status, "files": []} | ({"task_id": None} if status == "unknown" else {}))
        [again] = await run(sim, tmp_path, WISHES[:1])

        assert again.ok
        assert sim.books.accepted == 1


async def test_the_journal_of_another_directory(tmp_path):
    """A journal that was copied in does not make the manifest's own items unknown."""
    here, there = tmp_path / "here", tmp_path / "there"
    async with Simulator(QUICK) as sim:
        await run(sim, here, WISHES)
        await run(sim, there, [ImageRequest("something else")])
        forget_journal(here)
        shutil.copytree(there / ".toapis", here / ".toapis")
        again = await run(sim, here, WISHES)

        assert sum(one.ok for one in again if one.item.request in WISHES) == 6
        assert sim.books.accepted == 7
        assert len(lines(here)) == 6


async def test_only_the_log_of_the_journal_is_missing(tmp_path):
    """A copy without its -wal is an empty journal beside a full manifest."""
    async with Simulator(QUICK) as sim:
        await run(sim, tmp_path, WISHES)
        forget_journal(tmp_path)
        async with SqliteJournal(tmp_path, clock=SystemClock()):
            pass
        again = await run(sim, tmp_path, WISHES)

        assert [one.resumed for one in again] == [True] * 6
        assert sim.books.accepted == 6


async def test_a_damaged_journal_moved_away_as_its_hint_says(tmp_path):
    """The hint of a damaged journal leads to a run that pays for nothing that the manifest lists."""
    async with Simulator(QUICK) as sim:
        await run(sim, tmp_path, WISHES)
        journal = journal_path(tmp_path)
        journal.write_bytes(b"not a database" * 100)
        with pytest.raises(Exception, match="not a journal") as caught:
            await run(sim, tmp_path, WISHES)
        assert "manifest.jsonl" in str(caught.value)
        journal.rename(journal.with_name("journal.sqlite3.broken"))
        again = await run(sim, tmp_path, WISHES)

        assert [one.resumed for one in again] == [True] * 6
        assert sim.books.accepted == 6


async def test_the_cap_counts_what_was_spent_before(tmp_path):
    """A cap on cost holds over both runs, the journal of the first being gone."""
    async with Simulator(QUICK) as sim:
        await run(sim, tmp_path, WISHES[:4])
        forget_journal(tmp_path)
        spent = sum(float(line["cost_usd"] or 0) for line in lines(tmp_path))
        assert spent > 0
        again = await run(sim, tmp_path, WISHES, max_cost_usd=f"{spent:.4f}")

        assert [one.ok for one in again if one.item.request in WISHES[:4]] == [True] * 4
        assert sim.books.accepted == 4


async def test_another_gateway_is_said_and_proves_nothing(tmp_path):
    """An attempt of unknown fate at one gateway is not sent to the next one because that one does not know it."""
    heard = []
    async with Simulator(QUICK) as first, Simulator(QUICK) as second:
        await run(first, tmp_path, WISHES[:1])
        async with SqliteJournal(tmp_path, clock=SystemClock()) as journal:
            await journal.record(
                Intended(key="i2", attempt=1, client_business_id="ta-lost-1", request=WISHES[2], at=1.0)
            )
        outcomes = await run(second, tmp_path, [WISHES[1], WISHES[2]], on_event=heard.append)

        assert sorted(one.ok for one in outcomes) == [False, True]
        assert first.base_url in str(next(one.error for one in outcomes if not one.ok))
        assert second.books.accepted == 1
        changed = [event for event in heard if isinstance(event, GatewayChanged)]
        assert [(event.before, event.after) for event in changed] == [(f"{first.base_url}/v1", f"{second.base_url}/v1")]
