"""Bets on a law."""

from random import Random
from statistics import median

from toapis_async.policy.waiting.latency_drift import Bets, Ending, changed_since


def looks_until_alarm(expected: float, true: float, *, most: int, seed: int = 1) -> int | None:
    """How many looks it takes until a law is called wrong, or None."""
    bets, random = Bets(), Random(seed)
    bets.on_law(200.0)
    for n in range(1, most + 1):
        if bets.add(expected, finished=random.random() < true):
            return n
    return None


def test_a_true_law_is_left_alone() -> None:
    """No alarm in 20,000 looks."""
    assert looks_until_alarm(0.3, 0.3, most=20_000) is None


def test_a_wrong_law_is_noticed_soon() -> None:
    """Twice or half as likely as said: noticed within 300 looks."""
    assert looks_until_alarm(0.3, 0.6, most=300) is not None
    assert looks_until_alarm(0.3, 0.12, most=300) is not None


def test_the_change_is_dated() -> None:
    """The alarm says for about how many looks the law has been wrong: most of those since the change, few before."""
    shares = []
    for seed in range(9):
        bets, random = Bets(), Random(seed)
        bets.on_law(500.0)
        for _ in range(1000):
            assert bets.add(0.3, finished=random.random() < 0.3) == 0
        wrong_for, n = 0, 0
        while not wrong_for:
            n += 1
            wrong_for = bets.add(0.3, finished=random.random() < 0.7)
        shares.append(wrong_for / n)

    assert 0.7 <= median(shares) <= 2.0


def test_a_law_from_few_is_given_more_rope() -> None:
    """What 30 completions taught may be off by more than what 800 did."""
    few, many = Bets(), Bets()
    few.on_law(30.0)
    many.on_law(800.0)
    few_alarm = next((n for n in range(200) if few.add(0.5, finished=n % 4 != 0)), 999)
    many_alarm = next((n for n in range(200) if many.add(0.5, finished=n % 4 != 0)), 999)

    assert many_alarm < few_alarm


def test_a_reset_forgets() -> None:
    """After it the account is even."""
    bets = Bets()
    bets.on_law(100.0)
    for _ in range(20):
        bets.add(0.5, finished=True)
    bets.reset()

    assert bets == Bets(slack=0.3 + 0.1)


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
