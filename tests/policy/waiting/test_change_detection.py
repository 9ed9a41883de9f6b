"""Cusum on a law."""

from random import Random

from toapis_async.policy.waiting.change_detection import Cusum, Ending, changed_since


def looks_until_alarm(expected: float, true: float, *, most: int, seed: int = 1) -> int | None:
    """How many looks it takes until a law is called wrong, or None."""
    cusum, random = Cusum(), Random(seed)
    cusum.rests_on(200.0)
    for n in range(1, most + 1):
        if cusum.add(expected, finished=random.random() < true):
            return n
    return None


def test_a_true_law_is_left_alone() -> None:
    """No alarm in 20,000 looks."""
    assert looks_until_alarm(0.3, 0.3, most=20_000) is None


def test_a_wrong_law_is_noticed_soon() -> None:
    """Twice or half as likely as said: noticed within 300 looks."""
    assert looks_until_alarm(0.3, 0.6, most=300) is not None
    assert looks_until_alarm(0.3, 0.12, most=300) is not None


def test_what_never_happens_happens_five_times() -> None:
    """Looks that were to find nothing find their tasks finished: the odds are not 1.8 times as high, but far more."""
    assert looks_until_alarm(0.0, 1.0, most=300) == 5
    assert looks_until_alarm(0.001, 0.005, most=20_000) is None


def test_a_law_from_few_is_given_more_rope() -> None:
    """What 30 completions taught may be off by more than what 800 did."""
    few, many = Cusum(), Cusum()
    few.rests_on(30.0)
    many.rests_on(800.0)
    few_alarm = next((n for n in range(200) if few.add(0.5, finished=n % 4 != 0)), 999)
    many_alarm = next((n for n in range(200) if many.add(0.5, finished=n % 4 != 0)), 999)

    assert many_alarm < few_alarm


def test_a_reset_forgets() -> None:
    """After it the account is even."""
    cusum = Cusum()
    cusum.rests_on(100.0)
    for _ in range(20):
        cusum.add(0.5, finished=True)
    cusum.reset()

    assert cusum == Cusum(tilt=0.6 + 2.0 / 10.0)


def test_what_went_as_surely_expected_is_no_news() -> None:
    """Ten thousand looks that find their task finished, as all but surely expected, are no reason to doubt the law."""
    assert looks_until_alarm(0.995, 1.0, most=10_000) is None


def test_the_change_is_told_by_the_order_of_acceptance() -> None:
    """Tasks under way go on as before, and their looks lie between those at the new ones."""
    random = Random(1)
    trials = []
    for task in range(200):
        true = 0.3 if task < 120 else 0.8
        trials += [(task, 0, 1, Ending.HERE if random.random() < true else Ending.RUNNING) for _ in range(3)]
    random.shuffle(trials)

    assert abs(changed_since(trials, lambda edge: 0.3 * edge) - 120) <= 10


def test_nothing_contradicted_is_no_change() -> None:
    """Everything that was seen still counts."""
    assert changed_since([(7, 0, 1, Ending.RUNNING), (8, 0, 0, Ending.LATER)], lambda edge: 0.0) == 0
