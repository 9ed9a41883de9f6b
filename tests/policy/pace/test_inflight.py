"""The limit on tasks in flight."""

import pytest

from toapis_async.policy.pace.inflight import Cause, InflightLimit, Refusal
from toapis_async.policy.pace.rate_limit_status import Budget, RateLimitStatus

NAMED = Refusal(message="Too many concurrent tasks")
UNCLEAR = Refusal(message="Too many requests")


@pytest.mark.parametrize(
    ("refusal", "cause"),
    [
        (Refusal(), Cause.UNCLEAR),
        (Refusal(message="Async task request rate exceeded"), Cause.UNCLEAR),
        (Refusal(message="Concurrency limit reached"), Cause.CONCURRENCY),
        (Refusal(message="当前并发任务数已达上限"), Cause.CONCURRENCY),
        (Refusal(message="40 tasks in progress"), Cause.CONCURRENCY),
        (Refusal(status=RateLimitStatus(budget=Budget.CONCURRENCY)), Cause.CONCURRENCY),
        (Refusal(status=RateLimitStatus(remaining=3.0)), Cause.CONCURRENCY),
        (Refusal(status=RateLimitStatus(remaining=0.0)), Cause.RATE),
        (Refusal(status=RateLimitStatus(limit=300.0)), Cause.UNCLEAR),
    ],
)
def test_causes_are_told_apart(refusal: Refusal, cause: Cause) -> None:
    """By words, by category, by what remains of the rate."""
    assert refusal.cause is cause


def test_the_first_refusal_shows_the_limit() -> None:
    """What was accepted then, and what of those on the way is still accepted."""
    limit = InflightLimit(300)
    limit.on_refused(NAMED, 30, 10.0)
    first = limit.limit
    for n in range(31, 41):
        limit.on_accepted(n, 0.0)

    assert (first, limit.limit) == (30, 40)


def test_a_rate_refusal_changes_nothing() -> None:
    """It is another policy's."""
    limit = InflightLimit(300)
    wait = limit.on_refused(Refusal(status=RateLimitStatus(remaining=0.0), retry_after_seconds=2.0), 30, 10.0)

    assert limit.limit == 300
    assert wait == 2.0


def test_one_more_is_tried_after_a_wait_that_doubles() -> None:
    """Not before, not two at a time, and later after each refusal."""
    limit = InflightLimit(300)
    limit.on_refused(NAMED, 40, 0.0)
    early, due, second = limit.admits(40, 0, 0.5), limit.admits(40, 0, 1.0), limit.admits(40, 1, 1.0)
    limit.on_refused(NAMED, 40, 1.1)
    too_early, due_again = limit.admits(40, 0, 2.5), limit.admits(40, 0, 3.2)

    assert (early, due, second) == (False, True, False)
    assert (too_early, due_again) == (False, True)


def test_a_successful_try_opens_the_limit_step_by_step() -> None:
    """Three cautious steps, then one, two, four: a false alarm is forgotten within seconds."""
    limit = InflightLimit(300)
    limit.on_refused(UNCLEAR, 40, 0.0)
    accepted, now = 40, 1.0
    while limit.limit < 200:
        if limit.admits(accepted, 0, now):
            accepted += 1
            limit.on_accepted(accepted, now)
        else:
            now += 0.5

    assert now <= 10.0


def test_refusals_below_the_limit_lower_it() -> None:
    """Others use the account too."""
    limit = InflightLimit(300)
    limit.on_refused(UNCLEAR, 40, 0.0)
    limit.on_refused(UNCLEAR, 20, 5.0)
    limit.on_refused(UNCLEAR, 20, 50.0)

    assert 20 <= limit.limit < 40


def test_an_item_refused_below_the_limit_waits_no_longer_than_asked() -> None:
    """The doubling wait is for one more than the limit, not for those that fit."""
    limit = InflightLimit(300)
    for n in range(6):
        limit.on_refused(UNCLEAR, 40, 1.5 * n)

    assert limit.on_refused(UNCLEAR, 20, 30.0) == 1.0
    assert limit.on_refused(Refusal(retry_after_seconds=3.0), 20, 30.0) == 3.0


def test_the_limit_is_never_under_one_or_over_the_setting() -> None:
    """With nothing accepted one may still go."""
    limit = InflightLimit(5)
    limit.on_refused(NAMED, 0, 0.0)
    lowest = limit.limit
    limit.on_accepted(50, 0.0)

    assert (lowest, limit.limit) == (1, 5)
    assert InflightLimit(5).admits(4, 0, 0.0)
    assert not InflightLimit(5).admits(5, 0, 0.0)


def test_the_start_is_soft() -> None:
    """Twenty on the way at once; with more accepted, half of those."""
    limit = InflightLimit(1000)

    assert limit.admits(0, 19, 0.0)
    assert not limit.admits(0, 20, 0.0)
    assert limit.admits(100, 49, 0.0)
    assert not limit.admits(100, 50, 0.0)


def test_tries_are_apart_and_the_pause_is_bounded() -> None:
    """After many refused tries one more is tried each minute."""
    limit = InflightLimit(100)
    now, tries = 0.0, []
    limit.on_refused(NAMED, 40, now)
    while len(tries) < 12:
        now += 0.5
        if limit.admits(40, 0, now):
            tries.append(now)
            limit.on_refused(NAMED, 40, now)

    assert tries[1] - tries[0] == 2.0
    assert tries[-1] - tries[-2] == 60.0


def test_a_limit_that_was_raised_too_far_comes_down_with_each_refusal() -> None:
    """Refusals below the limit lower it each time, so that a limit set too high is no storm."""
    limit = InflightLimit(300)
    for accepted in range(1, 41):
        limit.on_accepted(accepted, 0.0)
    limit.on_refused(Refusal(message="too many concurrent tasks"), 40, 0.0)
    assert limit.admits(40, 0, 1.5)
    limit.on_accepted(41, 1.5)
    raised = limit.limit
    assert raised > 41

    refusals = 0
    while limit.admits(38, 0, 1.6) and limit.limit > 38:
        limit.on_refused(Refusal(message="too many concurrent tasks"), 38, 1.6)
        refusals += 1

    assert refusals <= 4
    assert limit.limit == 38


def test_single_refusals_among_others_that_are_taken_say_nothing() -> None:
    """Five refusals in a hundred, of unclear cause and never two in a row, leave the limit alone."""
    limit = InflightLimit(300)
    for n in range(1, 200):
        if n % 20 == 0:
            limit.on_refused(UNCLEAR, n, float(n))
        limit.on_accepted(n, float(n))

    assert limit.limit == 300


def at_forty(now: float = 0.0) -> InflightLimit:
    """A limit that knows that the gateway takes forty."""
    limit = InflightLimit(300)
    for accepted in range(1, 41):
        limit.on_accepted(accepted, now)
    limit.on_refused(NAMED, 40, now)
    return limit


def test_many_that_are_taken_are_reason_enough_to_try_one_more() -> None:
    """However long the wait has become: one refusal in a hundred costs little, a limit raised unnoticed much."""
    limit = at_forty()
    now = 0.0
    for _ in range(8):
        while not limit.admits(40, 0, now):
            now += 1.0
        limit.on_refused(NAMED, 40, now)
    waiting = limit.admits(40, 0, now + 2.0)
    for _ in range(120):
        limit.on_accepted(40, now + 2.0)

    assert (waiting, limit.admits(40, 0, now + 2.0)) == (False, True)


def test_a_round_of_tasks_above_the_old_limit_opens_it() -> None:
    """One that is taken there may have had the place of an end not yet seen; a whole round has not."""
    limit = at_forty()
    assert limit.admits(40, 0, 1.5)
    limit.on_accepted(41, 1.5)
    closed = limit.admits(limit.limit, 0, 2.0)
    for _ in range(40):
        limit.on_accepted(41, 2.0)

    assert (closed, limit.admits(limit.limit, 0, 2.0)) == (False, True)


def test_refusals_that_go_on_while_tasks_end_bring_the_limit_down_fast() -> None:
    """The gateway has less to give: from forty to twenty in some ten refusals, not in twenty."""
    limit = at_forty()
    refusals, accepted = 0, 39
    while accepted >= 20:
        if limit.admits(accepted, 0, 10.0):
            limit.on_refused(UNCLEAR, accepted, 10.0)
            refusals += 1
        else:
            accepted -= 1

    assert refusals <= 10


def test_a_refusal_at_a_known_limit_needs_no_second_one() -> None:
    """Once the gateway is known to count tasks, a refusal above its number is about that number."""
    limit = at_forty()
    assert limit.admits(40, 0, 1.5)
    limit.on_accepted(41, 1.5)
    limit.on_refused(UNCLEAR, 40, 1.6)

    assert limit.limit == 40


@pytest.mark.parametrize("before", [0, 50])
def test_an_outage_is_no_limit_of_tasks(before: int) -> None:
    """Once nothing of ours is unfinished, refusals without a reason take back what they did to the limit."""
    limit = InflightLimit(200)
    for n in range(before):
        limit.on_accepted(n + 1, 0.0)
    for second in range(60):
        limit.on_refused(Refusal(), max(0, before - second), float(second))
    limit.on_accepted(1, 60.0)

    assert limit.limit == 200


@pytest.mark.parametrize(("learned", "bound", "limit"), [(None, 3, 3), (None, 90, 90), (6, 90, 6), (6, 3, 3)])
def test_another_bound(learned: int | None, bound: int, limit: int) -> None:
    """Another bound of the caller's holds at once; what was learned of the gateway's own stays."""
    policy = InflightLimit(50)
    if learned is not None:
        for _ in range(3):
            policy.on_refused(NAMED, learned, 1.0)
    policy.bound(bound)

    assert policy.limit == limit
