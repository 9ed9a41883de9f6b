"""A finished task's files: dead links lead back to the task."""

import asyncio
import pickle
from datetime import UTC, datetime
from random import Random

import attrs
import pytest

from toapis_async.client.downloading import FRESH_LOOKS, Downloader
from toapis_async.client.saving import FileTarget
from toapis_async.errors import DownloadError, IncompleteDownloadError, LinkExpiredError, StorageError
from toapis_async.storage.files.atomic_files import OutputDirectory
from toapis_async.storage.files.memory_sink import MemorySink
from toapis_async.testing import FakeClock
from toapis_async.testing.gateway.pictures import Picture
from toapis_async.testing.gateway.small_files import small_mp4, small_png
from toapis_async.transport.files import FileHost
from toapis_async.values.tasks import GenerationTask, TaskFile, TaskStatus

PNG = small_png(Picture(prompt="fox", width=64, height=64, format="png", seed=1, label="a"), 500)
MP4 = small_mp4("film", 1, 500)


@pytest.fixture
async def downloader(file_host):
    """A downloader from the scripted host, on a clock of its own."""
    async with FileHost(base_url=file_host.base_url, user_agent="test") as host:
        yield Downloader(host=host, clock=FakeClock(), random=Random(1))


def task(*urls, **more):
    return GenerationTask(
        id="tsk_1",
        kind="image",
        status=TaskStatus.COMPLETED,
        files=tuple(TaskFile(url=url) for url in urls),
        **more,
    )


class Looks:
    """Gives fresh tasks in order; the last one again and again."""

    def __init__(self, *tasks):
        self.tasks, self.count = list(tasks), 0

    async def __call__(self):
        self.count += 1
        return self.tasks.pop(0) if len(self.tasks) > 1 else self.tasks[0]


async def saved(downloader, given, fresh, directory):
    async with OutputDirectory(directory) as sink:
        return await downloader.save(given, FileTarget(sink=sink, stem="fox"), fresh=fresh)


async def test_a_single_file_has_the_bare_name(downloader, file_host, file_answer, tmp_path):
    """One file is named by its item alone, and nobody asks for a fresh link."""
    file_host.script = [file_answer(body=PNG)]
    fresh = Looks(task())
    (file,) = await saved(downloader, task(file_host.url()), fresh, tmp_path)
    assert (file.path.name, file.path.read_bytes(), fresh.count) == ("fox.png", PNG, 0)


async def test_several_files_are_numbered(downloader, file_host, file_answer, tmp_path):
    """Files of one task are told apart, in the task's order."""
    file_host.script = [file_answer(body=PNG)]
    files = await saved(downloader, task(file_host.url("/a"), file_host.url("/b")), Looks(task()), tmp_path)
    assert len({file.path.name for file in files}) == 2
    assert sorted(request.target for request in file_host.requests) == ["/a", "/b"]


async def test_one_that_is_broken_holds_up_no_other(downloader, file_host, file_answer, tmp_path):
    """Of four files the three that can be had are saved, and the error tells them from the missing one."""
    file_host.script = [lambda r: file_answer(status=500) if r.target == "/1" else file_answer(body=PNG)]
    given = task(*(file_host.url(f"/{number}") for number in range(4)))
    with pytest.raises(IncompleteDownloadError, match=r"1 of 4 .*number 2.*500") as caught:
        await saved(downloader, given, Looks(given), tmp_path)

    error = caught.value
    assert [file.name for file in error.files] == ["fox~1.png", "fox~3.png", "fox~4.png"]
    assert list(error.missing) == [1]
    assert error.missing[1].http_status == 500
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fox~1.png", "fox~3.png", "fox~4.png"]
    again = pickle.loads(pickle.dumps(error))
    assert (error.files, [1], str(error)) == (again.files, list(again.missing), str(again))


async def test_what_was_missing_is_fetched_by_the_next_download(downloader, file_host, file_answer, tmp_path):
    """Downloading again completes the task, and what was saved stays as it is."""
    bad = [True]
    file_host.script = [lambda r: file_answer(status=500 if r.target == "/1" and bad[0] else 200, body=PNG)]
    given = task(*(file_host.url(f"/{number}") for number in range(2)))
    with pytest.raises(IncompleteDownloadError) as caught:
        await saved(downloader, given, Looks(given), tmp_path)
    bad[0] = False
    files = await saved(downloader, given, Looks(given), tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["fox~1.png", "fox~2.png"]
    assert caught.value.files == files[:1]


async def test_only_what_failed_is_fetched_by_a_fresh_link(downloader, file_host, file_answer, tmp_path):
    """One dead link of three leads to one look, and the other files are not fetched again."""
    file_host.script = [lambda r: file_answer(status=403) if r.target == "/1" else file_answer(body=PNG)]
    urls = [file_host.url(f"/{number}") for number in range(3)]
    fresh = Looks(task(*(url + "?new" for url in urls)))
    files = await saved(downloader, task(*urls), fresh, tmp_path)

    assert [file.name for file in files] == ["fox~1.png", "fox~2.png", "fox~3.png"]
    assert (fresh.count, sum("new" in request.target for request in file_host.requests)) == (1, 1)


async def test_a_look_that_fails_keeps_what_was_saved(downloader, file_host, file_answer, tmp_path):
    """Where no fresh link comes for one file, the others are reported as saved."""
    file_host.script = [lambda r: file_answer(status=403) if r.target == "/1" else file_answer(body=PNG)]
    given = task(*(file_host.url(f"/{number}") for number in range(2)))
    with pytest.raises(IncompleteDownloadError, match="no link") as caught:
        await saved(downloader, given, Looks(task()), tmp_path)
    assert (len(caught.value.files), list(caught.value.missing)) == (1, [1])


async def test_files_of_a_task_are_fetched_side_by_side(downloader, file_host, file_answer, tmp_path):
    """All of them are asked for before the first has ended, and never more than there are permits."""
    limited, running, most = downloader.limited(3), 0, 0

    class Watched(MemorySink):
        def draft(self, stem):
            nonlocal running, most
            running += 1
            most = max(most, running)
            draft = super().draft(stem)
            publish = draft.publish

            async def counted(*args, **options):
                nonlocal running
                running -= 1
                return await publish(*args, **options)

            draft.publish = counted
            return draft

    file_host.script = [file_answer(body=PNG)]
    given = task(*(file_host.url(f"/{number}") for number in range(9)))
    files = await limited.save(given, FileTarget(sink=Watched(), stem="fox"), fresh=Looks(given))
    assert (len(files), most) == (9, 3)


async def test_a_refusing_disk_is_told_before_all_else(downloader, file_host, file_answer, tmp_path):
    """A disk that refuses ends the download with that error, however the other files fared."""
    (tmp_path / "out").write_text("in the way")
    file_host.script = [lambda r: file_answer(status=500) if r.target == "/0" else file_answer(body=PNG)]
    given = task(*(file_host.url(f"/{number}") for number in range(3)))
    with pytest.raises(StorageError):
        await saved(downloader, given, Looks(given), tmp_path / "out")


async def test_a_defect_comes_out_as_it_is(downloader, file_host, file_answer, tmp_path):
    """What no one has foreseen is neither a group of errors nor swallowed."""

    class Broken(MemorySink):
        def draft(self, stem):
            raise KeyError("mine")

    given = task(*(file_host.url(f"/{number}") for number in range(3)))
    with pytest.raises(KeyError, match="mine"):
        await downloader.save(given, FileTarget(sink=Broken(), stem="fox"), fresh=Looks(given))


async def test_cancelled_nothing_goes_on(downloader, file_host, file_answer, tmp_path):
    """Whoever is cancelled waits for every file's end, and no draft stays."""
    file_host.script = [file_answer(body=PNG, sent=100, stall=True)]
    given = task(*(file_host.url(f"/{number}") for number in range(3)))
    running = asyncio.ensure_future(saved(downloader, given, Looks(given), tmp_path))
    while len(file_host.requests) < 3:
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert list(tmp_path.iterdir()) == []


async def test_what_came_in_place_of_links_is_shown(downloader, tmp_path):
    """A result that cannot be understood is in the error, without what follows a question mark in it."""
    raw = {"id": "tsk_1", "status": "completed", "result": {"data": [{"url": "files.example/a.png?sig=SECRET"}]}}
    odd = attrs.evolve(task(), raw=raw)
    with pytest.raises(LinkExpiredError, match=r"files\.example/a\.png") as caught:
        await saved(downloader, odd, Looks(odd), tmp_path)
    assert "SECRET" not in str(caught.value)


async def test_the_last_frame_of_a_video_is_saved_too(downloader, file_host, file_answer, tmp_path):
    """A still that the gateway offers beside a video is saved under a name that says so."""
    file_host.script = [file_answer(body=MP4), file_answer(body=PNG)]
    given = attrs.evolve(
        task(), kind="video", files=(TaskFile(url=file_host.url("/v"), last_frame_url=file_host.url("/s")),)
    )
    film, still = await saved(downloader, given, Looks(given), tmp_path)
    assert (film.path.name, still.path.name) == ("fox.mp4", "fox~last-frame.png")


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_a_dead_link_leads_to_a_fresh_one(downloader, file_host, file_answer, tmp_path, status):
    """The task is looked up before anything else, and its fresh link is fetched."""
    file_host.script = [lambda r: file_answer(body=PNG) if r.target == "/new" else file_answer(status=status)]
    fresh = Looks(task(file_host.url("/new")))
    (file,) = await saved(downloader, task(file_host.url("/old")), fresh, tmp_path)
    assert file.path.read_bytes() == PNG
    assert fresh.count == 1


async def test_an_expired_link_is_not_even_tried(downloader, file_host, file_answer, tmp_path):
    """A link that is known to have died leads to a fresh one at once."""
    file_host.script = [file_answer(body=PNG)]
    died = datetime.fromtimestamp(downloader.clock.now() - 1, UTC)
    await saved(downloader, task(file_host.url("/old"), expires_at=died), Looks(task(file_host.url("/new"))), tmp_path)
    assert [request.target for request in file_host.requests] == ["/new"]


async def test_a_completed_task_without_links_is_looked_up(downloader, file_host, file_answer, tmp_path):
    """Completed without a link has been seen; the link may follow."""
    file_host.script = [file_answer(body=PNG)]
    fresh = Looks(task(), task(file_host.url()))
    assert len(await saved(downloader, task(), fresh, tmp_path)) == 1
    assert fresh.count == 2


async def test_a_link_that_never_comes_is_told(downloader, tmp_path):
    """When no link comes the error names the task and what to do, and asks no more than a few times."""
    fresh = Looks(task())
    with pytest.raises(LinkExpiredError, match="tsk_1") as caught:
        await saved(downloader, task(), fresh, tmp_path)
    assert "support" in caught.value.hint
    assert fresh.count <= FRESH_LOOKS + 1


async def test_links_that_stay_dead_are_told(downloader, file_host, file_answer, tmp_path):
    """A host that forbids every fresh link ends it after a few looks, and leaves nothing on the disk."""
    file_host.script = [file_answer(status=403)]
    fresh = Looks(task(file_host.url("/again")))
    with pytest.raises(LinkExpiredError):
        await saved(downloader, task(file_host.url()), fresh, tmp_path)
    assert fresh.count == FRESH_LOOKS
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_an_error_of_the_look_comes_out(downloader, file_host, file_answer, tmp_path):
    """When even the task cannot be looked up, that is what is told."""

    async def broken():
        raise DownloadError("no look")

    file_host.script = [file_answer(status=403)]
    with pytest.raises(DownloadError, match="no look"):
        await saved(downloader, task(file_host.url()), broken, tmp_path)
