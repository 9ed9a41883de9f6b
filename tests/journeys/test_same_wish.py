"""The same wish is the same item, wherever its files lie; another wish is another item."""

import io
import os

import attrs
import pytest
from PIL import Image

from toapis_async import AsyncToAPIs, FixedPolling, ImageRequest
from toapis_async.policy.files.naming import item_key
from toapis_async.storage.journal.sqlite_journal import SqliteJournal
from toapis_async.testing import Constant, Simulator
from toapis_async.testing.scenario.settings import Scenario
from toapis_async.values.records import Accepted, Finished, Intended, SavedToDisk

QUICK = Scenario(latency=Constant(0.05), files="small", tier=None)


def client_of(sim):
    return AsyncToAPIs(api_key=sim.api_key, base_url=sim.base_url, rate_limits=None, polling=FixedPolling(0.05))


def picture(path, colour):
    stream = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(stream, "PNG")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(stream.getvalue())
    return path


async def run(sim, directory, *requests):
    async with client_of(sim) as client, client.session(directory) as session:
        return [outcome async for outcome in session.stream(requests)]


@pytest.mark.parametrize("name", [None, "mine"])
@pytest.mark.parametrize("kind", ["path", "text"])
async def test_a_moved_folder_is_not_bought_again(tmp_path, name, kind):
    """A folder with its references is renamed: whatever named the items, they are skipped."""
    old, new = tmp_path / "old", tmp_path / "new"
    picture(old / "ref.png", "red")
    as_given = {"path": lambda path: path, "text": str}[kind]
    async with Simulator(QUICK) as sim:
        await run(sim, old / "out", ImageRequest("a", id=name, reference_images=[as_given(old / "ref.png")]))
        old.rename(new)
        again = await run(sim, new / "out", ImageRequest("a", id=name, reference_images=[as_given(new / "ref.png")]))

        assert [outcome.ok and outcome.resumed for outcome in again] == [True]
        assert sim.books.accepted == 1


async def test_a_changed_picture_is_another_wish(tmp_path):
    """Another picture under the same path is made; under the same id it is refused, and no old file stands for it."""
    wish = ImageRequest("a", reference_images=[picture(tmp_path / "ref.png", "red")])
    named = attrs.evolve(wish, id="mine")
    async with Simulator(QUICK) as sim:
        await run(sim, tmp_path / "out", wish, named)
        picture(tmp_path / "ref.png", "blue")
        outcomes = await run(sim, tmp_path / "out", wish, named)
        fresh, refused = sorted(outcomes, key=lambda outcome: not outcome.ok)

        assert fresh.ok
        assert not fresh.resumed
        assert "belongs to another request" in str(refused.error)
        assert sim.books.accepted == 3


async def test_a_file_and_its_bytes_are_one_wish(tmp_path):
    """A reference given as bytes is the same as the file that holds them, and a copy elsewhere is too."""
    ref = picture(tmp_path / "ref.png", "red")
    copy = picture(tmp_path / "elsewhere" / "copy.png", "red")
    async with Simulator(QUICK) as sim:
        await run(sim, tmp_path / "out", ImageRequest("a", reference_images=[ref]))
        for same in (ref.read_bytes(), copy):
            [again] = await run(sim, tmp_path / "out", ImageRequest("a", reference_images=[same]))
            assert again.resumed

        assert sim.books.accepted == 1


async def test_what_earlier_versions_named_by_path_is_known_again(tmp_path):
    """A journal whose keys were made with absolute paths goes on where nothing has moved: equal ones one by one."""
    ref, out = picture(tmp_path / "ref.png", "red"), tmp_path / "out"
    wish = ImageRequest("a", reference_images=[str(ref)])
    async with Simulator(QUICK) as sim:
        async with client_of(sim) as client, SqliteJournal(out, clock=client._gateway.clock) as journal:
            now = client._gateway.clock.now()
            for ordinal in range(3):
                task = await client.images.submit(wish)
                key = item_key(wish, ordinal)
                journal.note(Intended(key=key, attempt=1, client_business_id=f"c{ordinal}", request=wish, at=now))
                journal.note(Accepted(key=key, attempt=1, task_id=task.id, kind="image", at=now))
                if ordinal:
                    continue
                done = await client.images.wait(task)
                files = await client.images.download(done, out)
                journal.note(Finished(key=key, task_id=task.id, urls=done.urls, expires_at=None, cost_usd=None, at=now))
                journal.note(SavedToDisk(key=key, files=tuple(files), at=now))
        outcomes = await run(sim, out, wish, wish, wish)

        assert sorted(item_key(wish, ordinal) for ordinal in range(3)) == sorted(one.item.key for one in outcomes)
        assert [outcome.error for outcome in outcomes] == [None] * 3
        assert sim.books.accepted == 3


async def test_a_reference_that_is_gone_takes_nothing_with_it(tmp_path):
    """An item whose reference has become a pipe fails at no cost, and nothing waits for the pipe."""
    ref = picture(tmp_path / "ref.png", "red")
    wish = ImageRequest("a", reference_images=[ref])
    async with Simulator(QUICK) as sim:
        await run(sim, tmp_path / "out", wish)
        ref.unlink()
        os.mkfifo(ref)
        [outcome] = await run(sim, tmp_path / "out", wish)

        assert not outcome.ok
        assert sim.books.accepted == 1
