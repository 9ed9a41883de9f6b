"""The gateway's words and their meanings."""

import pytest

from toapis_async.policy.money.refusals import Meaning, meaning_of, speaks_of_policy


@pytest.mark.parametrize(
    ("http_status", "words", "meaning"),
    [
        (404, "TASK_NOT_FOUND", Meaning.MISSING_TASK),
        (402, "Insufficient account balance, please top up", Meaning.NO_QUOTA),
        (500, "quota_not_enough", Meaning.NO_QUOTA),
        (500, "insufficient_quota", None),
        (429, "current quota", None),
        (503, "熔断 no available channel", Meaning.BUSY),
        (502, "circuit_broken", None),
        (503, "ChannelCapability", Meaning.NO_MODEL),
        (502, "no available channel", None),
        (400, "InputImageSensitiveContentDetected", Meaning.POLICY),
        (500, "content_policy_violation", None),
        (200, "Invalid API key", Meaning.BAD_KEY),
        (400, "Invalid API key", None),
        (200, "rate_limit_exceeded", Meaning.TOO_FAST),
        (400, "", None),
    ],
)
def test_meanings(http_status, words, meaning):
    """A 5xx is given a meaning only by words that nothing else would use."""
    assert meaning is meaning_of(http_status, words)


def test_policy_in_a_failed_task():
    """Failed tasks carry a refusal of content in their message only."""
    assert speaks_of_policy("Generation failed: Content violates the content policy")
    assert not speaks_of_policy("context deadline exceeded")
