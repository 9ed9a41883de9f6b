"""What bounds a run, and what it says to do next."""

import pytest

from toapis_async.testing import Fail, Fault, Refuse

STRANGER = "a-model-of-tomorrow"
PNG_LINES = ["# a list of foxes", "a red fox", "", "   ", "a grey fox", "# the end"]


@pytest.fixture
def strangers(prompts):
    """A file of ten requests to a model whose price nobody knows."""
    return prompts(10, model=STRANGER)


async def test_a_cap_on_cost_works_for_every_model(toapis, gateway, strangers, quick, tmp_path):
    """Without a price it is said how to give one; with one, the run stops at the cap and says how to go on."""
    out = tmp_path / "out"
    async with gateway(extra_models=[STRANGER], price_usd="0.02") as sim:
        refused = await toapis("batch", strangers, "-o", out, "--max-cost", "0.10", *quick)
        assert refused.code == 2
        assert "--price USD" in refused.err
        assert "--max-images N" in refused.err
        capped = await toapis("batch", strangers, "-o", out, "--max-cost", "0.10", "--price", "0.02", *quick)
        assert capped.code == 5
        assert sim.books.accepted == 5
        assert f"toapis resume {out} --max-cost 0.20" in capped.err
        raised = await toapis("resume", out, "--max-cost", "0.20", *quick)
        assert raised.code == 0, raised.err
        assert sim.books.accepted == 10
        assert sim.books.duplicates == {}


async def test_a_cap_on_images_needs_no_price(toapis, gateway, prompts, strangers, quick, tmp_path):
    """The first N images of the input are asked for, over all runs of the directory, and not one more."""
    out = tmp_path / "out"
    async with gateway(extra_models=[STRANGER]) as sim:
        for _ in range(2):
            capped = await toapis("batch", strangers, "-o", out, "--max-images", 4, *quick)
            assert capped.code == 5
            assert "6 further requests were not sent" in capped.err
            assert sim.books.accepted == 4
        raised = await toapis("resume", out, "--max-images", 10, *quick)
        assert raised.code == 0, raised.err
        assert sim.books.accepted == 10


async def test_a_generate_below_its_price_sends_nothing(toapis, gateway, quick, tmp_path):
    """What would cost more than the cap is a wrong call: exit 2; an unknown price can be given."""
    async with gateway(extra_models=[STRANGER], price_usd="0.02") as sim:
        words = ("generate", "a fox", "-o", tmp_path / "out", *quick)
        assert (await toapis(*words, "--max-cost", "0.001")).code == 2
        assert (await toapis(*words, "--model", STRANGER, "--max-cost", "1")).code == 2
        assert sim.books.posts == 0
        assert (await toapis(*words, "--model", STRANGER, "--max-cost", "1", "--price", "0.02")).code == 0


@pytest.mark.parametrize(("option", "sent"), [((), 4), (("--comments",), 2), (("--no-comments",), 4)])
async def test_lines_with_a_hash_are_said_to_be_prompts_or_comments(
    toapis, gateway, prompts, quick, tmp_path, option, sent
):
    """Blank lines are skipped; a hash is a prompt unless it is said to be a comment, and that is told."""
    async with gateway() as sim:
        ended = await toapis("batch", prompts(PNG_LINES, "foxes.txt"), "-o", tmp_path / "out", *option, *quick)

        assert ended.code == 0, ended.err
        assert sim.books.accepted == sent
    assert ("2 prompts begin with #" in ended.err) is (option != ("--comments",))


@pytest.mark.parametrize(
    ("form", "text"),
    [("txt", "a fox\n\na cat\n"), ("csv", "prompt,size\na fox,1:1\na cat,1:1\n"), ("jsonl", '{"prompt": "a fox"}\n')],
)
async def test_stdin_in_any_form(start, gateway, quick, tmp_path, form, text):
    """A dash takes --format, and so does a resume of it."""
    async with gateway() as sim:
        process = await start("batch", "-", "--format", form, "-o", tmp_path / "out", *quick)
        ended = await process.ended(text.encode())
        assert ended.code == 0, ended.err
        assert sim.books.accepted == (1 if form == "jsonl" else 2)
        again = await (await start("resume", tmp_path / "out", *quick)).ended()
        assert again.code == 0, again.err
        assert "there already" in again.err


async def test_a_file_of_an_unknown_ending_takes_a_format(toapis, gateway, prompts, quick, tmp_path):
    """What the name does not say is said by --format."""
    async with gateway() as sim:
        ended = await toapis("batch", prompts(["a fox"], "foxes.md"), "--format", "txt", "-o", tmp_path / "o", *quick)

        assert ended.code == 0, ended.err
        assert sim.books.accepted == 1


async def test_after_a_run_the_next_steps_are_commands(toapis, gateway, prompts, quick, tmp_path):
    """Failures are counted by reason with what to do once each, and every step can be copied."""
    out = tmp_path / "out"
    faults = [
        Fault(where="task", what=Fail(), match="number 1"),
        Fault(where="submit", what=Refuse(reply="content_policy"), match="number 2"),
    ]
    async with gateway(faults=faults):
        ended = await toapis("batch", prompts(10), "-o", out, *quick)

    assert ended.code == 3
    lines = ended.err.splitlines()
    assert f"  toapis resume {out} --retry-failed" in lines
    assert f"  toapis report {out}" in lines
    assert sum("reword the prompt" in line for line in lines) == 1
    assert any(line.startswith("failed: fox-2: ") and "reword" not in line for line in lines)
    assert any(line.strip().startswith("1 × Task failed") for line in lines)


async def test_fewer_files_than_asked_for_end_with_code_3(toapis, gateway, prompts, quick, tmp_path, monkeypatch):
    """A shortfall is told of the item, in the summary, in JSON and in the manifest."""
    monkeypatch.setattr("toapis_async.batch.items.item_run.missing_files", lambda request, files: 1)
    async with gateway():
        ended = await toapis("batch", prompts(2), "-o", tmp_path / "out", *quick)
        assert ended.code == 3
        assert "incomplete: fox-0: 1 of 2 files came" in ended.err
        assert "2 came with fewer files" in ended.err
        as_json = await toapis("batch", prompts(3), "-o", tmp_path / "out", "--json", *quick)
    *outcomes, report = as_json.documents
    assert sum(one["missing_files"] for one in outcomes) == 1
    assert (report["short"], report["exit_code"]) == (1, 3)
