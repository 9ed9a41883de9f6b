"""``toapis resume``: a run that was stopped in any way, gone on with."""

import json
import signal
import sqlite3

from toapis_async.testing import Constant, Fail, Fault


def lines_of(path):
    """Return the entries of a manifest."""
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_a_killed_run_is_finished(toapis, start, gateway, prompts, quick, tmp_path):
    """After kill -9 the resume needs no more than the directory, and nothing is paid for twice."""
    out = tmp_path / "out"
    async with gateway(latency=Constant(0.3)) as sim:
        run = await start("batch", prompts(40), "-o", out, "--max-concurrency", 8, *quick)
        await run.until(lambda: sim.books.accepted >= 20)
        run.signal(signal.SIGKILL)
        await run.ended()
        ended = await toapis("resume", out, "--json")

        assert ended.code == 0, ended.err
        assert sim.books.duplicates == {}
        assert sim.books.accepted == 40
    assert {line["status"] for line in lines_of(out / "manifest.jsonl")} == {"saved"}
    assert len(lines_of(out / "manifest.jsonl")) == 40
    assert sorted(path.name for path in out.glob("*.png")) == sorted(f"fox-{n}.png" for n in range(40))
    assert list(out.glob("*.part")) == []


async def test_it_starts_as_the_run_was_started(toapis, start, gateway, prompts, quick, tmp_path, monkeypatch):
    """Prompts, references, defaults and address are remembered, from whatever directory it is called."""
    (tmp_path / "style.png").write_bytes(PNG)
    lines = [json.dumps({"prompt": f"fox {n}", "reference_images": ["style.png"]}) for n in range(12)]
    out = tmp_path / "out"
    async with gateway(latency=Constant(0.3)) as sim:
        monkeypatch.delenv("TOAPIS_BASE_URL")
        where = ("--base-url", sim.base_url, "--size", "16:9", "--max-concurrency", 3)
        run = await start("batch", "prompts.jsonl", "-o", "out", *where, *quick, cwd=prompts(lines).parent)
        await run.until(lambda: sim.books.accepted >= 4)
        run.signal(signal.SIGTERM)
        stopped = await run.ended()
        assert stopped.code == 5, stopped.err
        assert "toapis resume out --base-url" in stopped.err

        ended = await toapis("resume", out, "--json")

        assert ended.code == 0, ended.err
        assert sim.books.accepted == 12
        assert sim.books.duplicates == {}
        sizes = {(file["width"], file["height"]) for line in lines_of(out / "manifest.jsonl") for file in line["files"]}
        assert len(sizes) == 1
        width, height = sizes.pop()
        assert width > height


async def test_stdin_is_read_again_from_its_copy(toapis, start, gateway, quick, tmp_path):
    """What came through a pipe was kept."""
    out = tmp_path / "out"
    async with gateway(latency=Constant(0.3)) as sim:
        run = await start("batch", "-", "-o", out, "--max-concurrency", 2, *quick)
        run.process.stdin.write(b"".join(b'{"prompt": "fox %d"}\n' % n for n in range(8)))
        run.process.stdin.close()
        await run.until(lambda: sim.books.accepted >= 3)
        run.signal(signal.SIGKILL)
        await run.process.wait()
        ended = await toapis("resume", out, "--json")

        assert (ended.code, sim.books.accepted) == (0, 8), ended.err


async def test_without_its_prompt_file_what_was_begun_is_finished(toapis, start, gateway, prompts, quick, tmp_path):
    """A prompt file that has gone is told; what was accepted is fetched all the same."""
    out, path = tmp_path / "out", prompts(30)
    async with gateway(latency=Constant(0.5)) as sim:
        run = await start("batch", path, "-o", out, "--max-concurrency", 4, *quick)
        await run.until(lambda: sim.books.accepted >= 6)
        run.signal(signal.SIGKILL)
        await run.ended()
        path.unlink()
        ended = await toapis("resume", out)

        assert ended.code == 0, ended.err
        assert "is not there any more" in ended.err
        assert sim.books.duplicates == {}
        assert len(list(out.glob("*.png"))) == sim.books.accepted < 30


async def test_failed_items_are_made_again_when_asked(toapis, gateway, prompts, quick, tmp_path):
    """A failed task is reported again without being paid for, unless --retry-failed is given."""
    out = tmp_path / "out"
    async with gateway(faults=(Fault(where="task", what=Fail(), nth=(1,)),)) as sim:
        await toapis("batch", prompts(3), "-o", out, *quick)
        again = await toapis("resume", out, "--json")
        assert (again.code, again.documents[-1]["failed"], sim.books.accepted) == (3, 1, 3)

        retried = await toapis("resume", out, "--retry-failed", "--json")
        assert (retried.code, retried.documents[-1]["saved"], sim.books.accepted) == (0, 1, 4)


async def test_a_directory_without_a_run(toapis, gateway, tmp_path):
    """There is nothing to resume where nothing was begun."""
    async with gateway():
        ended = await toapis("resume", tmp_path)

        missing = await toapis("resume", tmp_path / "gone", "--json")

    assert (ended.code, missing.code) == (2, 2)
    assert "There is no journal" in ended.err
    assert "There is no directory" in missing.document["error"]["message"]
    assert list(tmp_path.iterdir()) == []


async def test_a_damaged_journal_is_left_alone(toapis, gateway, prompts, quick, tmp_path):
    """A journal that cannot be trusted is told, with how to go on, and is not touched."""
    out = tmp_path / "out"
    async with gateway():
        await toapis("batch", prompts(1), "-o", out, *quick)
        journal = out / ".toapis" / "journal.sqlite3"
        journal.write_bytes(b"not a database at all" * 100)
        ended = await toapis("resume", out)

    assert ended.code == 2
    assert "not a journal that can be trusted" in ended.err
    assert journal.read_bytes() == b"not a database at all" * 100


async def test_the_key_goes_nowhere_unasked(toapis, gateway, prompts, quick, tmp_path):
    """A directory from elsewhere does not choose where the key is sent."""
    out = tmp_path / "out"
    async with gateway():
        await toapis("batch", prompts(1), "-o", out, *quick)
        with sqlite3.connect(out / ".toapis" / "journal.sqlite3") as journal:
            (note,) = journal.execute("SELECT text FROM notes WHERE name = 'command line'").fetchone()
            memory = {**json.loads(note), "base_url": "https://elsewhere.example/v1"}
            text = json.dumps(memory).encode()
            journal.execute("UPDATE notes SET text = ? WHERE name = 'command line'", (text,))
        journal.close()
        ended = await toapis("resume", out)

    assert ended.code == 2
    assert "--base-url https://elsewhere.example/v1" in ended.err


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fcff9fa11e000782027f3dc848ef"
    "0000000049454e44ae426082"
)
