"""When refusals show a limit."""

from random import Random

from toapis_async.policy.pace.refusal_evidence import ANY_REFUSAL, RefusalEvidence, Threshold

CAREFUL = Threshold(tolerated=0.2, height=2.3)


def shown(replies: list[bool], test: Threshold) -> int | None:
    """Give the number of the reply at which a limit is believed; True is a refusal."""
    evidence = RefusalEvidence()
    return next((n for n, refused in enumerate(replies, 1) if evidence.add(test, refused=refused)), None)


def test_three_in_a_row_show_a_limit() -> None:
    """And a single one does not, unless any is one too many."""
    assert shown([True] * 3, CAREFUL) == 3
    assert shown([True], CAREFUL) is None
    assert shown([False, True], ANY_REFUSAL) == 2


def test_scattered_ones_cancel_out() -> None:
    """One in twenty at random is hardly ever taken for a limit; every second one is, soon."""
    random = Random(1)
    replies = [random.random() < 0.05 for _ in range(200)]

    assert shown(replies, CAREFUL) is None
    assert (shown([random.random() < 0.5 for _ in range(200)], CAREFUL) or 200) < 20


def test_what_was_out_at_a_decision_does_not_count_after_it() -> None:
    """The replies to three requests that were out are passed over."""
    evidence = RefusalEvidence()
    evidence.restart(3)
    for _ in range(3):
        evidence.add(ANY_REFUSAL, refused=True)

    assert (evidence.heard, evidence.refused) == (0, 0)
    assert evidence.add(ANY_REFUSAL, refused=True)
