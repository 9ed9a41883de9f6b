"""Files are there whole or not at all."""

import asyncio
import hashlib
import os
import resource
import subprocess
import sys
import textwrap
from pathlib import Path

import attrs
import pytest

from toapis_async.errors import StorageError
from toapis_async.storage.files.atomic_files import OutputDirectory
from toapis_async.values.files import SavedFile

MIB = 1_048_576


def names(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir()) if directory.exists() else []


async def saved(directory: OutputDirectory, name: str, *chunks: bytes, replace: bool = False) -> SavedFile | None:
    draft = directory.draft(name)
    try:
        for chunk in chunks:
            await draft.write(chunk)
        return await draft.publish(f"{name}.png", mime="image/png", width=3, height=2, replace=replace)
    finally:
        await draft.discard()


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("chunks", [[b""], [b"abc", b"def"], [bytes(MIB), b"end"], [b"x" * (MIB - 1)] * 4], ids=len)
async def test_a_published_file_holds_what_was_written(tmp_path, durable, chunks):
    """Content, length, checksum and time are those of the file on the disk, in a directory made on the way."""
    async with OutputDirectory(tmp_path / "a" / "b", durable=durable) as directory:
        file = await saved(directory, "cat", *chunks)

    content = b"".join(chunks)
    assert file == SavedFile(
        uri=tmp_path / "a" / "b" / "cat.png",
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        mime="image/png",
        width=3,
        height=2,
        mtime_ns=file.path.stat().st_mtime_ns,
    )
    assert file.path.read_bytes() == content
    assert names(tmp_path / "a" / "b") == ["cat.png"]


async def test_nothing_is_made_before_something_is_written(tmp_path):
    """Opening a directory or a file touches no disk."""
    async with OutputDirectory(tmp_path / "out") as directory:
        directory.draft("cat")

    assert not (tmp_path / "out").exists()


async def test_a_relative_directory_stays_relative(tmp_path, monkeypatch):
    """Paths begin as the user gave them, and files stay where they belong when the program moves."""
    monkeypatch.chdir(tmp_path)
    async with OutputDirectory("out") as directory:
        monkeypatch.chdir("/")
        file = await saved(directory, "cat", b"x")

    assert file.path == Path("out/cat.png")
    assert names(tmp_path / "out") == ["cat.png"]


@pytest.mark.parametrize("size", [10, 2 * MIB])
async def test_a_discarded_file_leaves_nothing(tmp_path, size):
    """Neither small nor large files leave a temporary name."""
    async with OutputDirectory(tmp_path) as directory:
        draft = directory.draft("cat")
        await draft.write(bytes(size))
        await draft.discard()

    assert names(tmp_path) == []


@pytest.mark.parametrize("size", [10, 2 * MIB])
async def test_a_restarted_file_forgets_what_it_had(tmp_path, size):
    """After a restart only the new bytes count."""
    async with OutputDirectory(tmp_path) as directory:
        draft = directory.draft("cat")
        await draft.write(bytes(size))
        await draft.restart()
        await draft.write(b"new")
        file = await draft.publish("cat.png", mime="image/png")

    assert (file.bytes, file.sha256) == (3, hashlib.sha256(b"new").hexdigest())
    assert file.path.read_bytes() == b"new"


async def test_many_files_at_once(tmp_path):
    """Small and large files, all together, all whole."""
    async with OutputDirectory(tmp_path / "out") as directory:
        sizes = {f"f{number}": number * 37 if number % 20 else 2 * MIB + number for number in range(1, 100)}
        files = await asyncio.gather(*(saved(directory, name, bytes(size)) for name, size in sizes.items()))

    assert {file.path.name: file.bytes for file in files} == {f"{name}.png": size for name, size in sizes.items()}
    assert names(tmp_path / "out") == sorted(f"{name}.png" for name in sizes)


async def test_a_directory_that_vanishes_is_made_again(tmp_path):
    """A user who empties the output directory under a run loses only what was in it."""
    async with OutputDirectory(tmp_path / "out") as directory:
        await saved(directory, "one", b"1")
        (tmp_path / "out" / "one.png").unlink()
        (tmp_path / "out").rmdir()
        await saved(directory, "two", b"2")

    assert names(tmp_path / "out") == ["two.png"]


@pytest.mark.parametrize("size", [10, 3 * MIB])
async def test_a_cancelled_file_is_whole_or_gone(tmp_path, size):
    """Cancelled at any moment, a file leaves no temporary name behind, and never half of itself."""
    async with OutputDirectory(tmp_path) as directory:

        async def save(name: str) -> None:
            draft = directory.draft(name)
            try:
                for _ in range(4):
                    await draft.write(bytes(size // 4))
                await draft.publish(f"{name}.png", mime="image/png")
            finally:
                await draft.discard()

        for turns in range(60):
            task = asyncio.ensure_future(save(f"f{turns}"))
            for _ in range(turns // 3):
                await asyncio.sleep(0.0002 if turns % 3 else 0)
            task.cancel()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert all(not name.startswith(".") for name in names(tmp_path))

    assert all(path.stat().st_size == size // 4 * 4 for path in tmp_path.iterdir())


async def test_only_our_temporary_files_are_swept(tmp_path):
    """What dead runs left is removed; the user's files stay, however they are called."""
    script = """
        import asyncio, os, sys
        from toapis_async.storage.files.atomic_files import OutputDirectory

        async def main():
            directory = OutputDirectory(sys.argv[1])
            await directory.draft("猫 1").write(bytes(2_000_000))
            os._exit(9)

        asyncio.run(main())
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script), tmp_path], check=False)
    kept = [".cat.part", "cat.part", ".hidden", "cat.0123456789a.part", "manifest.jsonl"]
    for name in kept:
        (tmp_path / name).touch()
    assert len(names(tmp_path)) == len(kept) + 1

    async with OutputDirectory(tmp_path) as directory:
        assert await directory.clean_up(alone=True) == 1
        assert await directory.clean_up(alone=True) == 0

    assert names(tmp_path) == sorted(kept)


async def test_a_missing_directory_has_nothing_to_sweep(tmp_path):
    """A first run begins without its directory."""
    async with OutputDirectory(tmp_path / "out") as directory:
        assert await directory.clean_up(alone=True) == 0
        assert await directory.intact([[SavedFile(uri=Path("x"), bytes=1, sha256="", mime="")]]) == [False]


async def test_files_that_were_changed_are_noticed(tmp_path):
    """Length and time are enough where they agree; a new time alone makes the content count."""
    async with OutputDirectory(tmp_path) as directory:
        file = await saved(directory, "cat", b"content")
        elsewhere = attrs.evolve(file, uri=Path("/old/place/cat.png"))
        assert await directory.intact([[file, elsewhere]]) == [True]

        os.utime(file.path, ns=(5, 5))
        assert await directory.intact([[file]]) == [True]

        file.path.write_bytes(b"CONTENT")
        other = await saved(directory, "dog", b"woof")
        assert await directory.intact([[file], [other], [other, file], []]) == [False, True, False, True]

        file.path.write_bytes(b"short")
        assert await directory.intact([[file]]) == [False]
        file.path.unlink()
        assert await directory.intact([[file]]) == [False]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_forbidden_directory_is_a_storage_error(tmp_path):
    """Permissions are named, with what to do."""
    tmp_path.chmod(0o500)
    async with OutputDirectory(tmp_path) as directory:
        with pytest.raises(StorageError, match=r"(?s)cat\.png.*write access"):
            await saved(directory, "cat", b"x")
    tmp_path.chmod(0o700)


async def test_a_file_in_the_way_is_a_storage_error(tmp_path):
    """A file in place of the directory, or a directory that a file would replace, is named and stays."""
    (tmp_path / "file").touch()
    (tmp_path / "cat.png").mkdir()
    async with OutputDirectory(tmp_path / "file" / "out") as directory:
        with pytest.raises(StorageError, match="choose another"):
            await saved(directory, "cat", b"x")
    async with OutputDirectory(tmp_path) as directory:
        with pytest.raises(StorageError, match="move it away"):
            await saved(directory, "cat", b"x", replace=True)
        assert await saved(directory, "cat", b"x") is None
        assert (await saved(directory, "dog", b"x")).bytes == 1

    assert names(tmp_path) == ["cat.png", "dog.png", "file"]


@pytest.mark.parametrize("size", [300_000, 3 * MIB])
def test_a_full_disk_is_a_storage_error(tmp_path, size):
    """Where the system takes no more bytes, the temporary file goes and the error says how to go on."""
    script = """
        import asyncio, sys
        from toapis_async.errors import StorageError
        from toapis_async.storage.files.atomic_files import OutputDirectory

        async def main():
            async with OutputDirectory(sys.argv[1]) as directory:
                draft = directory.draft("cat")
                try:
                    await draft.write(bytes(int(sys.argv[2])))
                    await draft.publish("cat.png", mime="image/png")
                except StorageError as error:
                    print(error)

        asyncio.run(main())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), tmp_path, str(size)],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
    )

    assert "resume" in done.stdout
    assert names(tmp_path) == []


async def test_the_event_loop_never_touches_the_disk(tmp_path):
    """Every file call happens in a thread of ours."""
    script = """
        import asyncio, sys, threading
        from toapis_async.storage.files.atomic_files import OutputDirectory

        seen = set()

        def watch(event, args):
            if event in {"open", "os.link", "os.rename", "os.remove", "os.mkdir"} and sys.argv[1] in str(args[0]):
                seen.add(threading.current_thread() is threading.main_thread())

        async def main():
            async with OutputDirectory(sys.argv[1] + "/out") as directory:
                for size in (10, 3_000_000):
                    draft = directory.draft("cat")
                    await draft.write(bytes(size))
                    file = await draft.publish(f"{size}.png", mime="image/png")
                await directory.intact([[file]])
                await directory.clean_up(alone=True)

        sys.addaudithook(watch)
        asyncio.run(main())
        print(seen)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), tmp_path], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "{False}"
