"""An outage is told of, and its end ends the telling."""

import re
from functools import partial

import pytest

from toapis_async.cli.terminal.outage import Outage
from toapis_async.errors import APIConnectionError, Delivery, ToAPIsError
from toapis_async.ports.events import AttemptBegun, AttemptSettled, HeldUp, ItemFailed, ItemUnfinished, TaskFinished
from toapis_async.testing import Constant, Fault, Refuse
from toapis_async.values.tasks import TaskStatus


def held_up(key, message):
    return HeldUp(at=0.0, key=key, limit="gateway", error=APIConnectionError(message, delivery=Delivery.NEVER))


class Watch:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        """Tell the time."""
        return self.now


@pytest.fixture
def watch():
    """A clock that is set by hand."""
    return Watch()


@pytest.fixture
def outage(watch):
    """One that has begun: an item was held up."""
    outage = Outage(clock=watch)
    outage.hear(held_up("a", "Connection\nrefused \x1b[31m"))
    return outage


def test_a_short_hold_up_is_not_worth_a_word(outage, watch):
    """Nothing is said in the first ten seconds, and nothing without an event."""
    watch.now += 9.9

    assert outage.news() is None
    assert Outage(clock=watch).news() is None


def test_a_long_one_is_told_once_and_then_now_and_then(outage, watch):
    """After ten seconds, then each half minute, with the latest message on one harmless line."""
    told = []
    for _ in range(75):
        watch.now += 1
        told.append(outage.news())
    lines = [line for line in told if line]

    assert [at for at, line in enumerate(told, 1) if line] == [10, 40, 70]
    assert (
        lines[0] == "The gateway has taken nothing for 10 s; 1 item held, trying again (Connection refused \\x1b[31m)"
    )
    outage.hear(held_up("b", "x" * 1000))
    watch.now += 30
    assert "xxx…)" in outage.news()
    assert all(line.isprintable() for line in lines)


def test_an_acceptance_ends_it(outage, watch):
    """The next hold-up begins anew."""
    watch.now += 20
    outage.hear(AttemptBegun(at=0.0, key="a", client_business_id="a-1"))
    assert outage.news() is not None
    outage.hear(AttemptSettled(at=0.0, key="b", task_id="task_1", result="accepted"))
    watch.now += 60
    assert outage.news() is None
    outage.hear(held_up("a", "again"))
    assert outage.news() is None


@pytest.mark.parametrize(
    "end",
    [
        partial(ItemFailed, error=ToAPIsError("x")),
        partial(ItemUnfinished, error=ToAPIsError("x")),
        partial(TaskFinished, status=TaskStatus.COMPLETED),
    ],
)
def test_what_nobody_tries_again_is_not_said_to_be_tried(outage, watch, end):
    """When everything that was held up has ended, there is no outage to tell of."""
    watch.now += 20
    outage.hear(end(at=0.0, key="somebody else"))
    assert outage.news() is not None
    outage.hear(end(at=0.0, key="a"))
    watch.now += 60

    assert outage.news() is None


@pytest.mark.parametrize("options", [(), ("--quiet",)])
async def test_a_run_tells_of_an_outage(toapis, gateway, prompts, quick, tmp_path, monkeypatch, options):
    """A batch against a gateway that refuses for a while says so, unless quiet, and is made all the same."""
    monkeypatch.setattr("toapis_async.cli.terminal.outage._SILENT_SECONDS", 0.01)
    faults = (Fault(where="submit", what=Refuse(reply="rate_limited", retry_after=1.0), first=2),)
    async with gateway(faults=faults, latency=Constant(0.05)):
        ended = await toapis("batch", prompts(2), "-o", tmp_path / "out", *options, *quick)

    told = re.findall(r"^The gateway has taken nothing for .* held, trying again \(.*\)$", ended.err, re.MULTILINE)
    assert ended.code == 0, ended.err
    assert (0 if options else 1) == len(told)
