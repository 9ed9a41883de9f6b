"""The shared state as bytes."""

import json
from random import Random

import pytest

from toapis_async.policy.pace.rate_limit_status import RateLimitStatus
from toapis_async.policy.pace.sharing.leases import BudgetReport, Happening, Heard, Report
from toapis_async.policy.pace.sharing.shared_account import SharedAccount
from toapis_async.values.limits import TIERS
from toapis_async.wire.shared_account import account_bytes, account_from


def lived_in(seed):
    """Make a state that has seen everything that can happen."""
    random, account, now = Random(seed), SharedAccount.begin(TIERS["default"], fixed=False, now=0.0), 0.0
    first = dict.fromkeys("abc", 0)
    for _ in range(200):
        now += random.uniform(0.0, 0.3)
        name = random.choice("abc")
        status = RateLimitStatus(limit=50.0, remaining=float(random.randrange(50)))
        heard = [Heard(now, Happening.SENT)]
        if random.random() < 0.9:
            heard.append(Heard(now, random.choice(list(Happening)[2:]), random.choice((None, status))))
        said = BudgetReport(held=random.random(), bulk=random.randrange(9), first=first[name], heard=tuple(heard))
        first[name] += len(heard)
        account.settle(Report(worker=name, at=now, submit=said), now=now, max_in_flight=40)
    return account


@pytest.mark.parametrize("seed", range(5))
def test_what_was_written_is_read(seed):
    """A state that was written and read decides as the one that was not."""
    account = lived_in(seed)
    read = account_from(account_bytes(account))
    report = Report(worker="new", at=70.0, submit=BudgetReport(bulk=3))
    leases = [one.settle(report, now=70.0, max_in_flight=40) for one in (account, read)]
    assert leases[0] == leases[1]
    assert json.loads(account_bytes(account)) == json.loads(account_bytes(read))


@pytest.mark.parametrize(
    "data",
    [None, b"", b"null", b"[]", b"{", b"\xff", b'{"format": [], "account": {}}'],
    ids=["nothing", "empty", "null", "list", "cut short", "no text", "another version"],
)
def test_what_cannot_be_read_is_nothing(data):
    """Another version's state, or a damaged one, is no state."""
    assert account_from(data) is None


def test_a_state_with_a_hole_is_nothing():
    """A right format around wrong contents is no state either."""
    state = json.loads(account_bytes(lived_in(1)))
    state["account"]["submit"]["bucket"].pop("_rate")
    assert account_from(json.dumps(state).encode()) is None


def test_it_stays_small():
    """However long it lives, it is a few kilobytes."""
    assert len(account_bytes(lived_in(2))) < 20_000
