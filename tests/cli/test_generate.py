"""``toapis generate``: one image."""

import asyncio
import json
import signal

import pytest
from PIL import Image

from toapis_async.testing import Constant, Delay, Fail, Fault


async def test_one_image(toapis, gateway, quick, tmp_path):
    """The path comes on stdout, the task's id on stderr."""
    async with gateway() as sim:
        ended = await toapis("generate", "a red fox", "--size", "16:9", "-o", tmp_path, *quick)

        (path,) = ended.lines
        assert ended.code == 0
        assert (tmp_path / path).read_bytes()[:4] == b"\x89PNG"
        assert "Accepted as task" in ended.err
        assert sim.books.accepted == 1


async def test_as_json(toapis, gateway, quick, tmp_path):
    """With --json stdout is the task's normal form and its files."""
    async with gateway():
        ended = await toapis("generate", "a red fox", "-o", tmp_path, "--json", "--quiet", *quick)

    document = ended.document
    assert ended.err == ""
    assert (document["status"], document["cost"], document["kind"]) == ("completed", 0.012, "image")
    assert len(document["files"][0]["sha256"]) == 64


async def test_a_reference_is_uploaded(toapis, gateway, quick, tmp_path):
    """A local file is uploaded, and one that is none is refused before anything is sent."""
    picture, text = tmp_path / "a.png", tmp_path / "b.png"
    picture.write_bytes(PNG)
    text.write_text("no picture")
    async with gateway() as sim:
        good = await toapis("generate", "a mug", "--reference", picture, "-o", tmp_path / "out", *quick)
        bad = await toapis("generate", "a mug", "--reference", text, "-o", tmp_path / "out", *quick)

        assert (good.code, bad.code) == (0, 2)
        assert "is no JPEG, PNG" in bad.err
        assert sim.books.accepted == 1


async def test_a_video_model_makes_a_video(toapis, gateway, quick, tmp_path):
    """The model decides what is made."""
    async with gateway():
        ended = await toapis(
            "generate", "waves", "--model", "sora-2", "--duration", "10", "-o", tmp_path, "--json", *quick
        )

    assert ended.code == 0, ended.err
    assert ended.document["kind"] == "video"
    assert ended.document["files"][0]["mime"] == "video/mp4"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("a", "--size", "17:9"), "size '17:9' is not one"),
        (("",), "prompt is empty"),
        (("a", "--n", "4"), "n 4 is too large"),
        (("a", "--duration", "5"), "duration is a field of videos"),
        (("a", "--max-cost", "0.001"), "more than --max-cost"),
        (("a", "--model", "who-knows", "--max-cost", "1"), "No price is known"),
        (("a", "--max-cost", "-1"), "no amount in USD"),
        (("a", "--patience", "soon"), "no number of seconds"),
        (("a", "--rate-limit", "fast"), "no rate such as 12/s"),
        (("a", "--n", "none"), "--n"),
    ],
)
async def test_what_is_refused_before_anything_is_sent(toapis, gateway, tmp_path, arguments, sentence):
    """A wish that cannot be granted costs nothing."""
    async with gateway() as sim:
        ended = await toapis("generate", *arguments, "-o", tmp_path)

        assert ended.code == 2
        assert sentence in ended.err
        assert sim.books.posts == 0


async def test_dry_run(toapis, tmp_path):
    """The price is told without a key; an unknown one is said to be unknown."""
    known = await toapis("generate", "a", "-o", tmp_path, "--dry-run")
    unknown = await toapis("generate", "a", "--model", "who-knows", "-o", tmp_path, "--dry-run", "--json")

    assert "1 request, about 0.012 USD" in known.out
    assert unknown.document["estimated_usd"] is None


async def test_a_failed_task(toapis, gateway, quick, tmp_path):
    """A task that the gateway gives up is exit code 3, with what to do."""
    async with gateway(faults=(Fault(where="task", what=Fail()),)):
        ended = await toapis("generate", "a", "-o", tmp_path, *quick)
        machine = await toapis("generate", "a", "-o", tmp_path, "--json", "-q", *quick)

    assert machine.document["error"]["task_id"] in machine.err
    assert ended.code == 3
    assert ended.err.startswith("Accepted")
    assert "Error: " in ended.err
    assert ended.out == ""


@pytest.mark.parametrize("below", ["", "deeper/still"])
async def test_where_nothing_can_be_saved_nothing_is_sent(toapis, gateway, quick, tmp_path, below):
    """The output directory is tried out before the POST."""
    taken = tmp_path / "afile"
    taken.write_text("x")
    async with gateway() as sim:
        ended = await toapis("generate", "a", "-q", "-o", taken / below, *quick)

        assert (ended.code, ended.out) == (2, "")
        assert "Nothing was sent" in ended.err
        assert "afile" in ended.err
        assert sim.books.posts == 0
    assert taken.read_text() == "x"


async def test_what_tries_the_directory_out_is_removed(toapis, gateway, quick, tmp_path):
    """A directory is made with its parents, and holds the image and the manifest alone."""
    out = tmp_path / "deep" / "out"
    async with gateway():
        ended = await toapis("generate", "a", "-o", out, *quick)

    assert ended.code == 0, ended.err
    assert sorted(path.suffix for path in out.iterdir()) == [".jsonl", ".png"]


@pytest.mark.parametrize("options", [("-q",), ("-q", "--json")])
async def test_what_cannot_be_saved_after_all_can_be_fetched(toapis, gateway, quick, tmp_path, options):
    """The task's id and the command that fetches it are told, even when quiet; the command does it for no charge."""
    out, other = tmp_path / "out", tmp_path / "other"
    async with gateway(latency=Constant(0.6)) as sim:
        running = asyncio.create_task(toapis("generate", "a", "-o", out, *options, *quick))
        while not sim.books.accepted:
            await asyncio.sleep(0.02)
        out.rmdir()
        out.write_text("in the way")
        ended = await running

        assert ended.code == 5
        assert "resume" not in ended.err
        (command,) = [line for line in ended.err.splitlines() if "toapis status" in line]
        task_id = command.partition("toapis status ")[2].split()[0]
        assert f"{task_id} --wait -o {out}" in command
        if "--json" in options:
            assert ended.document["error"]["task_id"] == task_id
            assert command in ended.document["error"]["hint"]

        fetched = await toapis("status", task_id, "--wait", "-o", other, *quick)
        assert (fetched.code, len(list(other.glob("*.png")))) == (0, 1)
        assert sim.books.accepted == 1


async def test_stopped_while_waiting(toapis, start, gateway, quick, tmp_path):
    """Ctrl-C names the command that fetches what is paid for, and that command does."""
    async with gateway(latency=Constant(1.5)) as sim:
        process = await start("generate", "a red fox", "-o", tmp_path / "out", *quick)
        await process.until(lambda: sim.books.polls >= 2)
        process.signal(signal.SIGINT)
        ended = await process.ended()

        assert ended.code == 130
        assert "Traceback" not in ended.err
        (command,) = [line for line in ended.err.splitlines() if "toapis status" in line]
        task_id = command.partition("toapis status ")[2].split()[0]

        fetched = await toapis("status", task_id, "--wait", "-o", tmp_path / "out", *quick)
        assert fetched.code == 0
        assert len(list((tmp_path / "out").glob("*.png"))) == 1
        assert sim.books.accepted == 1


async def test_stopped_while_sending(start, gateway, quick, tmp_path):
    """Ctrl-C while the POST is on its way waits for its fate, and names what was accepted."""
    async with gateway(faults=(Fault(where="submit", what=Delay(seconds=1.0)),)) as sim:
        process = await start("generate", "a red fox", "-o", tmp_path / "out", *quick)
        await process.until(lambda: sim.books.posts >= 1)
        process.signal(signal.SIGTERM)
        ended = await process.ended()

        assert ended.code == 143
        assert "toapis status tsk_" in ended.err
        assert sim.books.accepted == 1


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fcff9fa11e000782027f3dc848ef"
    "0000000049454e44ae426082"
)


async def test_metadata_on_demand(toapis, gateway, quick, tmp_path):
    """Nothing of the prompt is in the file unless --embed-metadata is given."""
    async with gateway():
        plain = await toapis("generate", "a red fox", "-o", tmp_path, *quick)
        told = await toapis("generate", "a red fox", "-o", tmp_path, "--embed-metadata", "--verify", "decode", *quick)

    assert (plain.code, told.code) == (0, 0), plain.err + told.err
    with Image.open(plain.lines[0]) as before, Image.open(told.lines[0]) as after:
        assert "prompt" not in before.text
        assert after.text["prompt"] == "a red fox"


def lines_of(directory):
    """Return the entries of a manifest."""
    return [json.loads(line) for line in (directory / "manifest.jsonl").read_text().splitlines()]


async def test_a_manifest_is_left(toapis, gateway, quick, tmp_path):
    """Each call adds a line with task, files, cost and prompt, which only their owner may read."""
    async with gateway():
        ended = [await toapis("generate", f"fox {n}", "-o", tmp_path, "--json", *quick) for n in range(2)]

    lines = lines_of(tmp_path)
    assert [line["task_id"] for line in lines] == [one.document["id"] for one in ended]
    assert [(line["status"], line["prompt"], line["cost_usd"]) for line in lines] == [
        ("saved", f"fox {n}", "0.012") for n in range(2)
    ]
    assert [line["files"][0]["sha256"] for line in lines] == [one.document["files"][0]["sha256"] for one in ended]
    assert all((tmp_path / line["files"][0]["path"]).is_file() for line in lines)
    assert (tmp_path / "manifest.jsonl").stat().st_mode & 0o077 == 0


async def test_the_manifest_tells_of_what_failed_and_of_what_is_late(toapis, gateway, quick, tmp_path):
    """A task that failed, and one that is paid for and not waited for any longer, have their lines too."""
    async with gateway(faults=(Fault(where="task", what=Fail()),)):
        await toapis("generate", "a fox", "-o", tmp_path, *quick)
    async with gateway(latency=Constant(60)):
        await toapis("generate", "an owl", "-o", tmp_path, "--patience", "0.3", *quick)

    failed, late = lines_of(tmp_path)
    assert (failed["status"], failed["error"]["type"]) == ("failed", "TaskFailedError")
    assert (late["status"], late["error"]["type"], late["files"]) == ("unfinished", "TaskTimeoutError", [])


async def test_beside_a_run_neither_loses_a_line(toapis, start, gateway, prompts, quick, tmp_path):
    """A line that is added while a run is killed, and while its resume makes the manifest anew, stays in it."""
    out = tmp_path / "out"
    async with gateway(latency=Constant(0.3)) as sim:
        run = await start("batch", prompts(12), "-o", out, "--max-concurrency", 2, *quick)
        await run.until(lambda: sim.books.accepted >= 4)
        first = await toapis("generate", "an owl", "-o", out, "--json", *quick)
        await run.until(lambda: sim.books.accepted >= 9)
        run.signal(signal.SIGKILL)
        await run.ended()
        resumed = await start("resume", out, "--max-concurrency", 1, *quick)
        second = await toapis("generate", "a crow", "-o", out, "--json", *quick)
        ended = await resumed.ended()

    assert ended.code == 0, ended.err
    keys = [line["id"] for line in lines_of(out)]
    assert sorted(keys) == sorted([*(f"fox-{n}" for n in range(12)), first.document["id"], second.document["id"]])
