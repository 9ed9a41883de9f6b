"""File systems that cannot sync a directory are written to all the same."""

import errno
import os
import stat

import pytest

from toapis_async import ImageRequest
from toapis_async.storage.files.directory_sync import fsync_directory


@pytest.fixture
def refusing(monkeypatch):
    """``refusing(errno)``: a file system that refuses to sync directories, and syncs files."""
    sync = os.fsync

    def install(number):
        def refuse(descriptor):
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise OSError(number, os.strerror(number))
            sync(descriptor)

        monkeypatch.setattr(os, "fsync", refuse)

    return install


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_what_cannot_be_synced_is_done_without(tmp_path, refusing, number):
    """That the file system has no such operation is no reason to refuse a paid file."""
    refusing(number)
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        fsync_directory(descriptor)
    finally:
        os.close(descriptor)


def test_a_disk_that_fails_is_heard(tmp_path, refusing):
    """An error of the device stays one."""
    refusing(errno.EIO)
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            fsync_directory(descriptor)
    finally:
        os.close(descriptor)


async def test_a_run_on_such_a_file_system_saves_everything(live, tmp_path, refusing):
    """Every paid file is saved, once, and the next run finds them all."""
    refusing(errno.EINVAL)
    requests = [ImageRequest(f"fox {number}") for number in range(10)]
    async with live() as (sim, client):
        for saved in (10, 0):
            async with client.session(tmp_path / "out") as session:
                report = await session.run(requests)
            assert (report.saved, report.complete) == (saved, True)
        assert sim.books.accepted == 10
