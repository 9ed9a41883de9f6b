"""A finished task's files: dead links lead back to the task."""

from datetime import UTC, datetime
from random import Random

import attrs
import pytest

from toapis_async.client.downloading import FRESH_LOOKS, Downloader
from toapis_async.errors import DownloadError, LinkExpiredError
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
    return await downloader.save(given, stem="fox", sink=directory, fresh=fresh)


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
    assert [request.target for request in file_host.requests] == ["/a", "/b"]


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
