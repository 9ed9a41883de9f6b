"""The journal of a session that keeps none."""

from toapis_async.storage.journal.no_journal import NoJournal
from toapis_async.values.records import Accepted


async def test_it_forgets_everything():
    """Whatever is written, nothing comes back."""
    event = Accepted(key="a", attempt=1, task_id="tsk_1", kind="image", at=1.0)
    async with NoJournal("0123abcd") as journal:
        await journal.record(event)
        journal.note(event)
        await journal.remember("a name", "a text")
        assert (journal.run_id, journal.empty_at_open) == ("0123abcd", True)
        assert await journal.find(["a", "b"]) == [None, None]
        assert [record async for record in journal.items()] == []
        assert await journal.counts() == {}
        assert await journal.recall("a name") is None


async def test_it_leaves_no_trace(live, tmp_path):
    """A session without a journal leaves files and manifest, and no folder of its own."""
    from toapis_async import ImageRequest

    async with live() as (_, client), client.session(tmp_path, journal=False) as session:
        report = await session.run([ImageRequest("a fox")])
    assert report.complete
    assert not [path.name for path in tmp_path.rglob("*") if "journal" in path.name]
    assert len([path for path in tmp_path.iterdir() if path.is_file()]) == 2
