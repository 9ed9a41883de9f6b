"""One owner per directory, also where the system's locks are of no use."""

import json
import os
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from toapis_async.errors import JournalLockedError
from toapis_async.storage.journal.directory_lock import DirectoryLock, Owner, is_held

HERE = Owner.current()


def write_owner(path: Path, owner: Owner) -> None:
    path.write_text(json.dumps(attrs.asdict(owner)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the path of a lock file."""
    (tmp_path / "out" / ".toapis").mkdir(parents=True)
    return tmp_path / "out" / ".toapis" / "lock"


@pytest.fixture
def dead() -> Owner:
    """Describe a process of this machine that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pid = process.pid
    return attrs.evolve(HERE, pid=pid, started="1")


@pytest.mark.parametrize("trust_flock", [True, False])
def test_one_at_a_time(path: Path, trust_flock: bool) -> None:
    """While one holds the directory another is refused, with or without the system's help; afterwards it is not."""
    first, second = (DirectoryLock(path, trust_flock=trust_flock) for _ in range(2))
    first.acquire()
    with pytest.raises(JournalLockedError, match="this very process"):
        second.acquire()
    first.release()
    first.release()
    second.acquire()
    assert not second.abandoned
    second.release()
    assert [file.name for file in path.parent.iterdir()] == ["lock"]


def test_names_the_owner(path: Path) -> None:
    """The lock file tells people who has the directory."""
    lock = DirectoryLock(path)
    lock.acquire()
    assert json.loads(path.read_text())["pid"] == os.getpid()
    lock.release()
    assert path.read_text() == ""


@pytest.mark.parametrize("trust_flock", [True, False])
def test_dead_owner_of_this_machine(path: Path, dead: Owner, trust_flock: bool) -> None:
    """A killed owner does not keep the directory, and is known to have been there."""
    write_owner(path, dead)
    write_owner(path.with_name("lock.owner"), dead)
    lock = DirectoryLock(path, trust_flock=trust_flock)
    lock.acquire()
    assert lock.abandoned
    lock.release()


def test_living_owner_where_locks_always_succeed(path: Path) -> None:
    """Where every caller is given the lock, a living owner's word counts."""
    write_owner(path.with_name("lock.owner"), attrs.evolve(HERE, pid=os.getppid(), started=started(os.getppid())))
    lock = DirectoryLock(path, trust_flock=False)
    with pytest.raises(JournalLockedError, match=f"process {os.getppid()}"):
        lock.acquire()


def started(pid: int) -> str:
    from toapis_async.storage.journal.directory_lock import _started

    return _started(pid)


def test_unreadable_owner_is_believed(path: Path) -> None:
    """An owner file without a readable owner may have been written just now: it is refused, with the way on."""
    path.with_name("lock.owner").write_text("{")
    with pytest.raises(JournalLockedError) as caught:
        DirectoryLock(path, trust_flock=False).acquire()
    assert f"delete {path.with_name('lock.owner')}" in caught.value.hint


def test_owner_on_another_machine_is_believed(path: Path) -> None:
    """A shared directory whose owner runs elsewhere is refused although the local lock is free."""
    write_owner(path, attrs.evolve(HERE, boot="another", host="elsewhere"))
    before = path.read_text()
    with pytest.raises(JournalLockedError, match="on elsewhere"):
        DirectoryLock(path).acquire()
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        (HERE, True),
        (attrs.evolve(HERE, started="1"), not HERE.started),
        (attrs.evolve(HERE, boot="earlier"), False),
        (attrs.evolve(HERE, boot="other", host="elsewhere"), True),
        (attrs.evolve(HERE, host="a container of this kernel"), True),
    ],
)
def test_who_may_live(owner: Owner, expected: bool) -> None:
    """A number is a process only together with its start, its kernel's boot and its machine."""
    assert owner.may_live(HERE) is expected


def test_after_a_power_cut(path: Path) -> None:
    """The owner of an earlier boot of this machine is gone, and the directory free."""
    write_owner(path, attrs.evolve(HERE, boot="earlier"))
    lock = DirectoryLock(path)
    lock.acquire()
    assert lock.abandoned
    lock.release()


def test_foreign_words_in_the_lock_file(path: Path) -> None:
    """A lock file that holds something else is no owner."""
    path.write_text('{"who": "knows"}')
    lock = DirectoryLock(path)
    lock.acquire()
    lock.release()


def test_others_can_tell_whether_it_is_held(path: Path, dead: Owner) -> None:
    """Whether a directory is held is seen without taking it: not before, not after, not by the dead."""
    lock = DirectoryLock(path)
    seen = [is_held(path)]
    lock.acquire()
    seen.append(is_held(path))
    lock.release()
    seen.append(is_held(path))
    write_owner(path, dead)
    seen.append(is_held(path))
    path.with_name("link").symlink_to(path)
    write_owner(path, HERE)
    seen.append(is_held(path.with_name("link")))

    assert seen == [False, True, False, False, False]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without forks")
def test_a_forked_child_holds_nothing(path: Path) -> None:
    """A child that lives on does not keep the directory when its parent has released it or was killed."""
    program = (
        "import os, sys, pathlib\n"
        "from toapis_async.storage.journal.directory_lock import DirectoryLock\n"
        "lock = DirectoryLock(pathlib.Path(sys.argv[1])); lock.acquire()\n"
        "child = os.fork()\n"
        "if not child: print(os.getpid(), flush=True); sys.stdin.read(); lock.release(); os._exit(0)\n"
        "os._exit(9)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        child = int(parent.stdout.readline())
        assert parent.wait(20) == 9
        os.kill(child, 0)
        lock = DirectoryLock(path)
        lock.acquire()
        parent.stdin.close()
        while Path(f"/proc/{child}/stat").exists() and "Z" not in Path(f"/proc/{child}/stat").read_text():
            pass
        assert os.getpid() == json.loads(path.read_text())["pid"], "the child's own release is not ours"
        lock.release()


def test_what_was_left_behind_gives_way(path: Path) -> None:
    """A lock whose owner can never release it, or that nobody has any more, is no obstacle in the same process."""
    left = DirectoryLock(path, deserted=lambda: True)
    left.acquire()
    second = DirectoryLock(path)
    second.acquire()
    left.release()
    with pytest.raises(JournalLockedError):
        DirectoryLock(path).acquire()
    del second
    third = DirectoryLock(path)
    third.acquire()
    third.release()


def test_a_link_in_its_place_is_not_followed(path: Path, tmp_path: Path) -> None:
    """The target of a symbolic link is neither emptied nor written."""
    mine = tmp_path / "mine"
    mine.write_text("precious")
    path.symlink_to(mine)
    with pytest.raises(OSError):
        DirectoryLock(path).acquire()
    assert mine.read_text() == "precious"


def test_a_pipe_in_its_place_is_refused(path: Path) -> None:
    """Nobody waits for whoever would write to it."""
    os.mkfifo(path)
    with pytest.raises(OSError, match="no file"):
        DirectoryLock(path).acquire()
