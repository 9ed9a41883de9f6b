"""``toapis batch``: the main job from the command line."""

import asyncio
import hashlib
import json
import os
import re
import shutil
import signal
import sys
from functools import partial

import attrs
import pytest
from PIL import Image

from toapis_async.policy.money.asking import GracePeriods
from toapis_async.testing import Constant, Drop, Fail, Fault, Refuse, StatusWord, scenario_named


async def test_a_file_of_prompts_becomes_a_folder_of_images(toapis, gateway, prompts, quick, tmp_path):
    """Each prompt is posted once, each image is on the disk, and the paths come on stdout."""
    out = tmp_path / "out"
    async with gateway(latency=Constant(0.1)) as sim:
        ended = await toapis("batch", prompts(40), "-o", out, "--max-concurrency", 8, *quick)

        assert ended.code == 0
        assert sorted(ended.lines) == sorted(str(out / f"fox-{n}.png") for n in range(40))
        assert sim.books.duplicates == {}
        assert sim.books.accepted == 40
    assert "40 saved" in ended.err
    lines = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert len(lines) == 40
    for line in lines:
        (file,) = line["files"]
        assert hashlib.sha256((out / file["path"]).read_bytes()).hexdigest() == file["sha256"]


async def test_statuses_of_every_kind_on_the_way(toapis, gateway, prompts, quick, tmp_path):
    """Unknown and empty words, and addresses in other places, are no obstacle."""
    words = [Fault(where="query", what=StatusWord(word=word), every=n) for n, word in ((3, "processing"), (4, ""))]
    async with gateway(faults=words, words=("pending", "submitted", "queued"), url_place="top_level"):
        ended = await toapis("batch", prompts(12), "-o", tmp_path / "out", *quick)

    assert ended.code == 0
    assert len(ended.lines) == 12


async def test_json_lines_and_a_report_at_the_end(toapis, gateway, prompts, quick, tmp_path):
    """With --json stdout is one object per outcome, and the report last."""
    async with gateway():
        ended = await toapis("batch", prompts(3), "-o", tmp_path / "out", "--json", "--quiet", *quick)

    *outcomes, report = ended.documents
    assert {one["id"] for one in outcomes} == {"fox-0", "fox-1", "fox-2"}
    assert {one["status"] for one in outcomes} == {"saved"}
    assert outcomes[0]["cost_usd"] == 0.012
    assert outcomes[0]["error"] is None
    assert report["type"] == "report"
    assert (report["saved"], report["failed"], report["exit_code"]) == (3, 0, 0)
    assert ended.err == ""


async def test_the_same_command_again_sends_nothing(toapis, gateway, prompts, quick, tmp_path):
    """What is saved is skipped, and a changed line is a new item."""
    out = tmp_path / "out"
    async with gateway() as sim:
        await toapis("batch", prompts(5), "-o", out, *quick)
        again = await toapis("batch", prompts(6), "-o", out, "--json", *quick)

        assert again.code == 0
        assert again.documents[-1]["skipped"] == 5
        assert again.documents[-1]["saved"] == 1
        assert sim.books.accepted == 6


async def test_stdin(start, gateway, quick, tmp_path):
    """A dash reads JSON Lines from stdin, and keeps them for a resume."""
    async with gateway():
        process = await start("batch", "-", "-o", tmp_path / "out", *quick)
        ended = await process.ended(b'{"prompt": "a fox", "id": "a"}\n{"prompt": "a cat", "id": "b"}\n')

    assert ended.code == 0, ended.err
    assert sorted(ended.lines) == [str(tmp_path / "out" / "a.png"), str(tmp_path / "out" / "b.png")]
    assert (tmp_path / "out" / ".toapis" / "input.lines").read_bytes().count(b"\n") == 2
    assert list((tmp_path / "out" / ".toapis").glob("*.part")) == []


async def test_a_table_and_a_text_file(toapis, gateway, prompts, quick, tmp_path):
    """CSV and plain text work like JSON Lines."""
    table = prompts(["prompt,size,id", '"a fox, red",16:9,one', "a cat,,two"], "prompts.csv")
    text = prompts(["a dog", "", "a bird"], "prompts.txt")
    async with gateway() as sim:
        first = await toapis("batch", table, "-o", tmp_path / "out", *quick)
        second = await toapis("batch", text, "-o", tmp_path / "out", "--size", "1:1", *quick)

        assert (first.code, second.code) == (0, 0)
        assert set(sim.books.by_prompt) == {"a fox, red", "a cat", "a dog", "a bird"}


async def test_local_references_are_uploaded(toapis, gateway, prompts, quick, tmp_path):
    """A relative reference is looked for beside the prompt file, and uploaded once for all lines."""
    (tmp_path / "style.png").write_bytes(PNG)
    lines = [json.dumps({"prompt": f"fox {n}", "reference_images": ["style.png"]}) for n in range(3)]
    async with gateway() as sim:
        ended = await toapis("batch", prompts(lines), "-o", tmp_path / "out", *quick)

        assert ended.code == 0, ended.err
        assert len(sim.gateway.uploads) == 1


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{nope", "prompts.jsonl:2: it is no JSON"),
        ('{"promt": "x"}', "prompts.jsonl:2: there is no field 'promt' (did you mean 'prompt'?)"),
        ('{"prompt": ""}', "prompts.jsonl:2: prompt is empty"),
        ('{"prompt": "x", "size": "17:9"}', "size '17:9' is not one that gemini-2.5-flash-image-preview has: 1:1,"),
        ('{"prompt": "x", "resolution": "9K"}', "has: 1K, 2K, 4K"),
        ('{"prompt": "x", "n": "1"}', "n is '1' (str)"),
        ('{"prompt": "x", "id": "fox-0"}', "id 'fox-0' stands on an earlier line too"),
        ('{"prompt": "x", "reference_images": ["gone.png"]}', "gone.png' does not exist"),
        ('{"prompt": "x", "reference_images": ["text.png"]}', "text.png' is no JPEG, PNG, WebP or GIF"),
        ('{"prompt": "x", "reference_images": ["large.png"]}', "11,000,000 bytes; the gateway takes at most"),
        ('{"prompt": "x", "reference_images": ["."]}', "is a directory, not a file"),
        (json.dumps({"prompt": "x", "reference_images": ["https://a.example/x"] * 15}), "at most 14"),
    ],
)
async def test_bad_lines_are_told_and_nothing_is_sent(toapis, gateway, prompts, tmp_path, line, sentence):
    """File, line and mistake are named before anything of the file is sent."""
    (tmp_path / "text.png").write_text("no picture")
    with (tmp_path / "large.png").open("wb") as large:
        large.write(PNG)
        large.truncate(11_000_000)
    path = prompts(['{"prompt": "good", "id": "fox-0"}', line])
    async with gateway() as sim:
        ended = await toapis("batch", path, "-o", tmp_path / "out")

        assert ended.code == 2
        assert sentence in ended.err
        assert "Nothing was sent" in ended.err
        assert sim.books.accepted == 0
    assert not (tmp_path / "out").exists()


async def test_at_most_ten_mistakes_are_told(toapis, gateway, prompts, tmp_path):
    """A file that is wrong throughout does not fill the screen."""
    async with gateway():
        ended = await toapis("batch", prompts(["nope"] * 50), "-o", tmp_path / "out")

    assert ended.err.count("it is no JSON") == 10
    assert "perhaps more" in ended.err


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing.jsonl", "does not exist"),
        ("prompts.jsnl", "does not exist (did you mean 'prompts.jsonl'?)"),
        ("folder", "is a directory"),
        ("empty.jsonl", "holds no prompts"),
        ("words.doc", "no prompt file by its name"),
    ],
)
async def test_files_that_are_none(toapis, gateway, prompts, tmp_path, name, sentence):
    """What cannot be read is told, with what to give instead."""
    prompts(1)
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "words.doc").write_text("words")
    async with gateway():
        ended = await toapis("batch", tmp_path / name, "-o", tmp_path / "out")

    assert ended.code == 2
    assert sentence in ended.err


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"TOAPIS_API_KEY": ""}, "There is no API key"),
        ({"TOAPIS_API_KEY": "sk-ab c"}, "a space or a line break"),
        ({"TOAPIS_BASE_URL": "ftp://a.example"}, "no http(s) address"),
        ({"TOAPIS_BASE_URL": "http://a.example"}, "unencrypted"),
    ],
)
async def test_settings_that_cannot_be_right(toapis, gateway, prompts, tmp_path, monkeypatch, variables, sentence):
    """A key or an address that cannot be right is refused before anything else, and the key is not shown."""
    async with gateway():
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        ended = await toapis("batch", prompts(1), "-o", tmp_path / "out")

    assert ended.code == 2
    assert sentence in ended.err
    assert "sk-ab" not in ended.err


async def test_a_refused_key_ends_the_run_at_once(toapis, gateway, prompts, quick, tmp_path, monkeypatch):
    """A key that the gateway refuses is exit code 4 after the first refusal."""
    async with gateway() as sim:
        monkeypatch.setenv("TOAPIS_API_KEY", "sk-of-somebody-else")
        ended = await toapis("batch", prompts(500), "-o", tmp_path / "out", *quick)

        assert ended.code == 4
        assert "401" in ended.err
        assert "sk-of-somebody-else" not in ended.err
        assert sim.books.accepted == 0


async def test_a_wrong_base_url_ends_the_run_at_once(toapis, gateway, prompts, quick, tmp_path):
    """A base URL under which the gateway has no paths is exit code 4; no item fails for good, and the run resumes."""
    run = ("batch", prompts(60), "-o", tmp_path / "out", *quick)
    async with gateway() as sim:
        ended = await toapis(*run, "--base-url", f"{sim.base_url.removesuffix('/v1')}/v2")
        assert ended.code == 4
        assert "Check the base URL" in ended.err
        assert "failed:" not in ended.err

        again = await toapis(*run)

        assert (again.code, sim.books.accepted) == (0, 60)
        assert sim.books.duplicates == {}


async def test_an_empty_balance_ends_the_run_and_keeps_what_is_paid(toapis, gateway, prompts, quick, tmp_path):
    """Without money the run stops with exit code 4, and what was accepted is saved."""
    async with gateway(balance_usd="0.06") as sim:
        ended = await toapis("batch", prompts(30), "-o", tmp_path / "out", "--max-concurrency", 4, *quick)

        assert ended.code == 4
        assert len(ended.lines) == sim.books.accepted == 5
    assert "toapis resume" in ended.err


async def test_some_failed(toapis, gateway, prompts, quick, tmp_path):
    """Failed tasks are told, with what to do, and make exit code 3."""
    fault = Fault(where="task", what=Fail(message="content \x1b[31mpolicy"), nth=(1, 2))
    async with gateway(faults=(fault,)):
        ended = await toapis("batch", prompts(6), "-o", tmp_path / "out", *quick)

    assert ended.code == 3
    assert len(ended.lines) == 4
    assert ended.err.count("failed: fox-") == 2
    assert "\x1b" not in ended.err


async def test_unknown_items_are_named_and_not_resent(toapis, gateway, prompts, quick, tmp_path, monkeypatch):
    """Where it cannot be known whether a task exists, exit code 5 says that the run is not at its end."""
    monkeypatch.setattr("toapis_async.async_client.GracePeriods", partial(GracePeriods, settled_seconds=0.5))
    lost = Fault(where="submit", what=Drop(after_acceptance=True), nth=(2,))
    blind = Fault(where="query", what=Refuse(reply="internal_error"), match="ta-")
    async with gateway(faults=(lost, blind), keeps_client_ids=False) as sim:
        ended = await toapis("batch", prompts(3), "-o", tmp_path / "out", "--json", *quick)

        assert sim.books.duplicates == {}
    report = ended.documents[-1]
    assert (report["saved"], report["unknown"], ended.code) == (2, 1, 5)
    assert "--resubmit-unknown" in ended.err


async def test_a_cap_on_the_cost(toapis, gateway, prompts, quick, tmp_path):
    """Submission stops before the estimate passes the cap."""
    out = tmp_path / "out"
    async with gateway() as sim:
        ended = await toapis("batch", prompts(10), "-o", out, "--max-cost", "0.05", *quick)

        assert (ended.code, sim.books.accepted, len(ended.lines)) == (5, 4, 4)
        assert "--max-cost" in ended.err
        rest = await toapis("resume", out, "--max-cost", "1", "--json")
        assert (rest.code, rest.documents[-1]["skipped"], rest.documents[-1]["saved"]) == (0, 4, 6)


async def test_a_cap_needs_prices(toapis, gateway, prompts, tmp_path):
    """Without a known price a cap could not be kept, which is told before anything is sent."""
    async with gateway() as sim:
        path = prompts(['{"prompt": "a", "model": "some-new-model"}'])
        ended = await toapis("batch", path, "-o", tmp_path / "out", "--max-cost", "1")

        assert ended.code == 2
        assert "no price is known for model 'some-new-model'" in ended.err
        assert sim.books.accepted == 0


async def test_dry_run(toapis, prompts, tmp_path):
    """Checking, counting and pricing need neither key nor gateway, and write nothing."""
    path = prompts([*(json.dumps({"prompt": f"fox {n}"}) for n in range(3)), '{"prompt": "a", "model": "new-model"}'])
    ended = await toapis("batch", path, "-o", tmp_path / "out", "--dry-run")
    machine = await toapis("batch", path, "-o", tmp_path / "out", "--dry-run", "--json")

    assert (ended.code, machine.code) == (0, 0)
    assert "4 requests, 4 files, about 0.036 USD for 3 of them; of 1 no price is known" in ended.out
    assert machine.document == {
        "type": "dry_run",
        "requests": 4,
        "outputs": 4,
        "estimated_usd": 0.036,
        "without_estimate": 1,
    }
    assert not (tmp_path / "out").exists()


async def test_warnings_instead_of_refusals(toapis, gateway, prompts, quick, tmp_path):
    """With --validation warn the line is doubted and sent; a model nearly like a known one always is."""
    lines = ['{"prompt": "a", "resolution": "3K"}', '{"prompt": "b", "model": "gemini-2.5-flash-image-previw"}']
    async with gateway() as sim:
        ended = await toapis("batch", prompts(lines), "-o", tmp_path / "out", "--validation", "warn", *quick)

        assert "Warning: " in ended.err
        assert "resolution '3K'" in ended.err
        assert "one slip away is gemini-2.5-flash-image-preview" in ended.err
        assert sim.books.posts == 2


async def test_a_model_one_slip_away_is_refused(toapis, gateway, prompts, quick, tmp_path):
    """A misspelled model is found before anything is sent, in a file as on the command line."""
    lines = ['{"prompt": "b", "model": "gemini-2.5-flash-image-previw"}']
    async with gateway() as sim:
        in_a_file = await toapis("batch", prompts(lines), "-o", tmp_path / "out", *quick)
        alone = await toapis("generate", "b", "--model", "gemini-2.5-flash-image-previw", "-o", tmp_path, *quick)

        assert (in_a_file.code, alone.code) == (2, 2)
        assert all("one slip away is gemini-2.5-flash-image-preview" in one.err for one in (in_a_file, alone))
        assert sim.books.posts == 0


async def test_an_unknown_model_is_told_once_and_sent(toapis, gateway, prompts, quick, tmp_path):
    """A model that nobody knows is sent with a warning, in a file as on the command line."""
    lines = ['{"prompt": "a", "model": "flux-9"}', '{"prompt": "b", "model": "flux-9"}']
    async with gateway():
        in_a_file = await toapis("batch", prompts(lines), "-o", tmp_path / "out", *quick)
        alone = await toapis("generate", "b", "--model", "flux-9", "-o", tmp_path, *quick)

    assert [one.err.count("'flux-9' is not in the catalogue") for one in (in_a_file, alone)] == [1, 1]
    assert "UserWarning" not in in_a_file.err + alone.err


async def test_a_directory_in_use_is_left_alone(toapis, start, gateway, prompts, quick, tmp_path):
    """A second run in a directory ends with a clear error."""
    async with gateway(latency=Constant(30)) as sim:
        await start("batch", prompts(2), "-o", tmp_path / "out", *quick)
        while sim.books.accepted < 2:
            await asyncio.sleep(0.02)
        second = await toapis("batch", prompts(2), "-o", tmp_path / "out", *quick)

        assert second.code == 5
        assert "is in use by" in second.err
        assert sim.books.accepted == 2


async def test_uvloop(toapis, gateway, prompts, quick, tmp_path):
    """The faster loop makes the same images."""
    pytest.importorskip("uvloop")
    async with gateway():
        ended = await toapis("batch", prompts(3), "-o", tmp_path / "out", "--uvloop", *quick)

    assert (ended.code, len(ended.lines)) == (0, 3)


async def test_nothing_is_left_open(start, gateway, prompts, quick, tmp_path):
    """In development mode, with warnings as errors, a whole run says nothing."""
    async with gateway():
        process = await start(
            "batch", prompts(5), "-o", tmp_path / "out", "--quiet", *quick, python=("-X", "dev", "-W", "error")
        )
        ended = await process.ended()

    # How long a callback took tells of the machine, not of us.
    said = re.sub(r"^Executing .* took [\d.]+ seconds$", "", ended.err, flags=re.MULTILINE)
    assert (ended.code, said.strip()) == (0, "")


async def test_a_reader_that_goes_away(gateway, prompts, quick, tmp_path):
    """``| head -1`` ends the run like a stop: what is paid for is saved, and no traceback is shown."""
    async with gateway(latency=Constant(0.2)) as sim:
        command = [sys.executable, "-m", "toapis_async", "batch", str(prompts(60)), "-o", str(tmp_path / "out")]
        shell = " ".join([*command, "--max-concurrency", "5", *quick, "|", "head", "-1"])
        process = await asyncio.create_subprocess_shell(
            shell, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await asyncio.wait_for(process.communicate(), 30)

        assert len(out.splitlines()) == 1
        assert b"Traceback" not in err
        assert b"toapis resume" in err
        assert 0 < sim.books.accepted < 60
        assert len(list((tmp_path / "out").glob("*.png"))) == sim.books.accepted


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_the_first_signal_drains_and_the_second_stops(start, gateway, prompts, quick, tmp_path, number, code):
    """Draining finishes what is paid for; insisting leaves it to the resume."""
    async with gateway(latency=Constant(0.6)) as sim:
        arguments = ("batch", prompts(200), "-o", tmp_path / "out", "--max-concurrency", 5, *quick)
        polite = await start(*arguments)
        await polite.until(lambda: sim.books.accepted >= 8)
        polite.signal(number)
        ended = await polite.ended()

        assert ended.code == 5, ended.err
        assert len(ended.lines) == sim.books.accepted < 30
        assert "Stopping" in ended.err
        assert "toapis resume" in ended.err

        hasty = await start(*arguments)
        before = sim.books.accepted
        await hasty.until(lambda: sim.books.accepted > before)
        hasty.signal(number)
        await asyncio.sleep(0.1)
        hasty.signal(number)
        ended = await hasty.ended()

        assert ended.code == code
        assert "Traceback" not in ended.err


@pytest.mark.parametrize("how", [(), ("--dry-run",)])
async def test_a_pipe_as_reference(toapis, gateway, tmp_path, how):
    """It is refused before anything is sent, and not waited for."""
    os.mkfifo(tmp_path / "ref.png")
    (tmp_path / "p.jsonl").write_text('{"prompt": "a fox", "reference_images": ["ref.png"]}')
    async with gateway():
        ended = await toapis("batch", tmp_path / "p.jsonl", "-o", tmp_path / "out", *how)

    assert ended.code == 2
    assert "is a pipe, not a file" in ended.err


async def test_a_key_is_never_an_option(toapis, tmp_path):
    """There is no option that would put the key into the process list."""
    ended = await toapis("batch", "x.jsonl", "-o", tmp_path, "--api-key", "sk-secret-secret")

    assert ended.code == 2
    assert "TOAPIS_API_KEY" in ended.err
    assert "sk-secret" not in ended.err


async def test_a_named_scenario_with_everything_going_wrong(toapis, gateway, prompts, tmp_path):
    """On a bad day every image is made, and none is paid for twice."""
    scenario = attrs.evolve(scenario_named("flaky-queries"), files="small", latency=Constant(0.05))
    async with gateway(scenario) as sim:
        ended = await toapis("batch", prompts(20), "-o", tmp_path / "out", "--min-poll-interval", "0.05")

        assert ended.code == 0, ended.err
        assert sim.books.duplicates == {}


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fcff9fa11e000782027f3dc848ef"
    "0000000049454e44ae426082"
)


async def test_a_dry_run_says_that_the_journal_is_gone(toapis, gateway, prompts, quick, tmp_path):
    """What a run would take over from the manifest alone is said before anything is sent."""
    path, out = prompts(4), tmp_path / "out"
    async with gateway():
        await toapis("batch", path, "-o", out, *quick)
    before = await toapis("batch", path, "-o", out, "--dry-run")
    shutil.rmtree(out / ".toapis")
    after = await toapis("batch", path, "-o", out, "--dry-run")

    assert "no journal" not in before.err
    assert "no journal, and its manifest lists 4 items" in after.err


async def test_files_are_named_by_a_template(toapis, gateway, prompts, quick, tmp_path):
    """--name names the files, and a resume names those that it fetches in the same way."""
    out, file = tmp_path / "out", prompts(2)
    async with gateway():
        ended = await toapis("batch", file, "-o", out, "--name", "{slug} [{id}]", *quick)
        (out / "a-fox-number-1 -fox-1.png").unlink()
        resumed = await toapis("resume", out, *quick)

    assert (ended.code, resumed.code) == (0, 0), ended.err + resumed.err
    names = ["a-fox-number-0 -fox-0.png", "a-fox-number-1 -fox-1.png"]
    assert names == sorted(path.name for path in out.glob("*.png"))


@pytest.mark.parametrize("wrong", ["{prompt}", "{slug}", "{{id}}", "{id", ""])
async def test_a_template_that_names_nothing_is_refused(toapis, gateway, prompts, quick, tmp_path, wrong):
    """What is no template, or would give all items one name, is said before anything is read or sent."""
    async with gateway() as sim:
        ended = await toapis("batch", prompts(2), "-o", tmp_path / "out", "--name", wrong, *quick)

    assert (ended.code, sim.books.accepted) == (2, 0)
    assert "--name" in ended.err
    assert "{slug}" in ended.err


async def test_metadata_and_decoding_from_the_command_line(toapis, gateway, prompts, quick, tmp_path):
    """--embed-metadata and --verify are remembered for a resume."""
    out, file = tmp_path / "out", prompts(1)
    async with gateway():
        ended = await toapis("batch", file, "-o", out, "--embed-metadata", "--verify", "decode", *quick)
        (out / "fox-0.png").unlink()
        resumed = await toapis("resume", out, *quick)

    assert (ended.code, resumed.code) == (0, 0), ended.err + resumed.err
    with Image.open(out / "fox-0.png") as image:
        assert image.text["prompt"] == "a fox, number 0"
