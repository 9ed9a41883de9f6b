"""One file in the making, and the names beside it."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from toapis_async.storage.files.draft_file import DirectoryNames, DraftFile, is_stale


@pytest.mark.parametrize(
    ("name", "stale"),
    [
        (".cat.0123abcd0.part", True),
        (".a.b\nc.0123abcdff.part", True),
        ("cat.0123abcd0.part", False),
        (".cat.part", False),
        (".cat.0123abcg0.part", False),
        (".cat.0123abcd0.part.png", False),
    ],
)
def test_temporary_names_are_told_from_others(name, stale):
    """Only names with our token count."""
    assert is_stale(name) is stale


def test_a_name_that_is_taken_is_refused(tmp_path):
    """A temporary name is never someone else's file or link."""
    (tmp_path / "victim").write_text("precious")
    (tmp_path / ".cat.part").symlink_to(tmp_path / "victim")
    file = DraftFile(DirectoryNames(tmp_path, durable=True), temporary=".cat.part")

    with pytest.raises(FileExistsError):
        file.append([b"x"])
    assert (tmp_path / "victim").read_text() == "precious"


def test_threads_share_syncs_and_lose_none(tmp_path):
    """Whoever has synced finds its rename covered, however many do it at once."""
    names = DirectoryNames(tmp_path, durable=True)

    def save(number: int) -> tuple[str, int]:
        file = DraftFile(names, temporary=f".{number}.part")
        file.append([b"%d" % number])
        published = file.publish(f"{number}.png", replace=False)
        names.sync()
        return published

    with ThreadPoolExecutor(8) as pool:
        published = list(pool.map(save, range(200)))
    names.close()

    assert [digest for digest, _ in published] == [sha256(b"%d" % number).hexdigest() for number in range(200)]
    assert len(list(tmp_path.iterdir())) == 200


OPEN_FILES = Path("/proc/self/fd")


def open_files() -> int:
    return len(list(OPEN_FILES.iterdir()))


@pytest.mark.skipif(not OPEN_FILES.exists(), reason="needs /proc")
def test_descriptors_are_given_back(tmp_path):
    """Publishing, removing, failing and closing leave no open file."""
    before = open_files()
    names = DirectoryNames(tmp_path, durable=True)
    (tmp_path / "taken").mkdir()
    for number, target in enumerate(["a", "taken", None]):
        file = DraftFile(names, temporary=f".{number}.part")
        file.append([b"x"])
        if target is None:
            file.remove()
        elif target == "taken":
            with pytest.raises(IsADirectoryError):
                file.publish(target, replace=True)
        else:
            file.publish(target, replace=True)
            names.sync()
    names.close()

    assert open_files() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "taken"]
