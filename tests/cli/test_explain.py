"""``toapis explain``: errors, codes and tasks in words, with what to do."""

import pytest

from toapis_async.testing import Fail, Fault


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("429",), "Back off"),
        (("401",), "TOAPIS_API_KEY"),
        (("invalid", "apitype:", "-1"), "no chat models"),
        (("content_policy_violation",), "reword the prompt"),
        (("insufficient_quota",), "Top up"),
        (("model_not_found",), "no channel"),
        (("LinkExpiredError",), "the link has died"),
        (("references",), "say in the prompt"),
        (("variants",), "official"),
        (("charged",), "tokens"),
        (("gemini-2.5-flash-image-preview",), "gemini-2.5-flash-image-official"),
    ],
)
async def test_words_that_are_known(toapis, words, part):
    """Without a key, each is answered with what to do."""
    ended = await toapis("explain", *words)

    assert ended.code == 0, ended.err
    assert part in ended.out


async def test_without_a_word_the_four_questions_are_answered(toapis):
    """Variants, references, the wrong endpoint and a failed task that was charged."""
    ended = await toapis("explain")

    for part in ("Which variant", "References have no effect", "invalid apitype: -1", "A failed task was charged"):
        assert part in ended.out


async def test_a_failed_task_that_was_charged_is_explained_with_its_own_facts(toapis, gateway, quick, tmp_path):
    """Billing, tokens, reason and next step are those of its record."""
    async with gateway(faults=[Fault(where="task", what=Fail(refund=False))]) as sim:
        await toapis("generate", "a fox", "-o", tmp_path / "out", *quick)
        (task_id,) = [task.id for task in sim.gateway.tasks.values()]
        ended = await toapis("explain", task_id)

    assert ended.code == 0, ended.err
    for part in (task_id, "failed", "Billing: settled, 0.012 USD", "It counts", "chat endpoint", "up to 14 images"):
        assert part in ended.out


async def test_a_task_that_is_not_there(toapis, gateway):
    """An id that the gateway does not know is an error with a next step."""
    async with gateway():
        ended = await toapis("explain", "task_of_nobody")

    assert ended.code == 3
    assert "Check the id" in ended.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
async def test_completion_scripts(toapis, shell):
    """Each shell gets a script that asks the program."""
    ended = await toapis("completion", shell)

    assert ended.code == 0
    assert "_TOAPIS_COMPLETE" in ended.out
