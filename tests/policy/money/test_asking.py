"""What lookups after a lost reply prove, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.errors import APIConnectionError, APITimeoutError, Delivery, ServerError
from toapis_async.policy.money.asking import (
    GracePeriods,
    Resumption,
    Verdict,
    ask_delay_seconds,
    grace_seconds,
    step_resumed,
    verdict,
)

PERIODS = GracePeriods(settled_seconds=15.0, at_work_seconds=60.0)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (APIConnectionError("reset", delivery=Delivery.UNKNOWN), 15.0),
        (APITimeoutError("late", delivery=Delivery.UNKNOWN), 60.0),
        (ServerError("page", http_status=500), 15.0),
        (ServerError("page", http_status=502), 15.0),
        (ServerError("page", http_status=408), 60.0),
        (ServerError("page", http_status=504), 60.0),
        (ServerError("page", http_status=524), 60.0),
    ],
    ids=lambda value: type(value).__name__ + str(getattr(value, "http_status", "")),
)
def test_whoever_may_still_be_at_work_gets_longer(error, expected):
    """After time-outs, ours or a proxy's, the request may still be on its way in."""
    assert expected == grace_seconds(error, PERIODS)


def test_the_waits_between_lookups_grow_to_ten_seconds():
    """The first lookup comes after a second, later ones ever more rarely."""
    waits = [ask_delay_seconds(asked) for asked in range(40)]
    assert waits[:3] == [1.0, 1.5, 2.25]
    assert waits == sorted(waits)
    assert waits[-1] == 10.0


@pytest.mark.parametrize(
    ("waited", "miss", "keeps", "expected"),
    [
        (0, True, True, Verdict.ASK_AGAIN),
        (14.9, True, True, Verdict.ASK_AGAIN),
        (15, True, True, Verdict.NOT_ACCEPTED),
        (15, True, None, Verdict.ASK_AGAIN),
        (30, True, None, Verdict.UNKNOWN),
        (0, True, False, Verdict.UNKNOWN),
        (99, True, False, Verdict.UNKNOWN),
        (15, False, True, Verdict.ASK_AGAIN),
        (29.9, False, True, Verdict.ASK_AGAIN),
        (30, False, True, Verdict.UNKNOWN),
        (30, False, None, Verdict.UNKNOWN),
        (31, True, True, Verdict.NOT_ACCEPTED),
    ],
)
def test_verdicts(waited, miss, keeps, expected):
    """Misses prove absence only after the grace period and only where references are kept."""
    assert expected is verdict(
        waited_seconds=waited, grace_seconds=15.0, last_was_clean_miss=miss, keeps_client_ids=keeps
    )


@given(
    waited=st.floats(0, 1e6), grace=st.floats(0, 1e4), miss=st.booleans(), keeps=st.sampled_from([True, False, None])
)
def test_absence_is_never_guessed(waited, grace, miss, keeps):
    """No combination but a clean miss after the grace period at a gateway that keeps references allows a resend."""
    judged = verdict(waited_seconds=waited, grace_seconds=grace, last_was_clean_miss=miss, keeps_client_ids=keeps)
    if judged is Verdict.NOT_ACCEPTED:
        assert miss
        assert keeps is True
        assert waited >= grace
    if waited >= 2 * grace:
        assert judged is not Verdict.ASK_AGAIN


@pytest.mark.parametrize(
    ("found", "clean", "keeps", "ahead", "rounds", "step"),
    [
        (Verdict.NOT_ACCEPTED, True, True, False, 1, Resumption.SEND),
        (Verdict.UNKNOWN, True, None, False, 1, Resumption.LEAD),
        (Verdict.UNKNOWN, True, None, True, 1, Resumption.ASK_AGAIN),
        (Verdict.UNKNOWN, True, None, True, 4, Resumption.REPORT),
        (Verdict.UNKNOWN, False, None, False, 1, Resumption.REPORT),
        (Verdict.UNKNOWN, True, False, False, 1, Resumption.REPORT),
        (Verdict.UNKNOWN, True, True, False, 1, Resumption.ASK_AGAIN),
    ],
)
def test_what_may_have_been_sent_is_sent_only_when_a_miss_proves_it(found, clean, keeps, ahead, rounds, step):
    """One goes ahead where nothing is known; no other is sent on a doubt."""
    assert step is step_resumed(found, clean_miss=clean, keeps_client_ids=keeps, others_ahead=ahead, rounds=rounds)
