"""What every rate limiter promises, on each of them, in virtual time.

A new implementation joins with a line in ``LIMITERS``: a function that takes limits and a clock, and makes one that
holds to these limits.
"""

import asyncio
import weakref
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from toapis_async import AsyncToAPIs
from toapis_async.limits import SharedRateLimits
from toapis_async.limits.lease_owner import settled
from toapis_async.limits.machine_owner import MachineOwner
from toapis_async.limits.ray_owner import LimitsActor, RayOwner
from toapis_async.testing.fake_clock import FakeClock
from toapis_async.transport.pacing import Pacer
from toapis_async.values.exchange import Purpose
from toapis_async.values.limits import BULK, INTERACTIVE, RateLimits

LIMITS = RateLimits(submit_per_second=10.0, submit_burst=1, query_per_second=100.0, query_burst=1)


class KeptInMemory:
    """The smallest owner of leases: what an actor in another process would do."""

    process = ""

    def __init__(self, account, terms):
        self.account, self.terms, self.data = account, terms, None

    async def exchange(self, report):
        self.data, lease = settled(self.data, report, self.terms, now=report.at)
        return lease

    async def aclose(self):
        pass


LIMITED = (Purpose.SUBMIT, Purpose.QUERY)


def embedded(limits, clock):
    return Pacer(limits, clock=clock, random=Random(1))


def shared(limits, clock):
    return SharedRateLimits(KeptInMemory, rate_limits=limits, account="a", clock=clock, random=Random(1))


def shared_by_file(limits, clock):
    # Virtual time knows nothing of threads: the transactions are run where they are asked for.
    directory = TemporaryDirectory()

    class AtOnce(MachineOwner):
        async def exchange(self, report):
            return self.settle(report)

        async def aclose(self):
            self._close()

    made = SharedRateLimits(
        lambda account, terms: AtOnce(Path(directory.name, "account"), terms, clock=clock),
        rate_limits=limits,
        account="a",
        clock=clock,
        random=Random(1),
    )
    weakref.finalize(made, directory.cleanup)
    return made


class ActorInVirtualTime:
    """A ``LimitsActor`` for each account, in a process of their own, where it is what o'clock the report says."""

    def __init__(self):
        self.actors, self.time = {}, 0.0

    def now(self):
        return self.time

    async def sleep(self, seconds):
        await asyncio.Event().wait()  # it never has nothing to do

    async def exchange(self, account, report, terms):
        self.time = report.at
        actor = self.actors.setdefault(account, LimitsActor(clock=self))
        return await actor.exchange(report, terms, None)


@pytest.fixture(scope="session")
def ray_actor(ray_cluster):
    """Start one such process for all tests."""
    return ray_cluster.remote(ActorInVirtualTime).options(num_cpus=0).remote()


def shared_by_ray(limits, clock, ray, actor):
    number = next(ACCOUNTS)

    class AtOnce(RayOwner):  # as with the file: virtual time stands still while the actor answers
        async def exchange(self, report):
            return ray.get(actor.exchange.remote(number, report, self._terms))[0]

    return SharedRateLimits(
        partial(AtOnce, "conformance"), rate_limits=limits, account="a", clock=clock, random=Random(1)
    )


ACCOUNTS = count()
LIMITERS = {"embedded": embedded, "shared": shared, "shared by file": shared_by_file}


@pytest.fixture
def clock():
    """Make time that jumps."""
    return FakeClock()


@pytest.fixture(params=[*LIMITERS, pytest.param("shared by ray", marks=pytest.mark.ray)])
def made(request, clock):
    """Make each implementation on a clock that jumps."""
    if request.param in LIMITERS:
        return LIMITERS[request.param](LIMITS, clock)
    return shared_by_ray(LIMITS, clock, *map(request.getfixturevalue, ("ray_cluster", "ray_actor")))


@pytest.fixture
async def limiter(made):
    """Open it; closed at the end."""
    await made.open()
    yield made
    await made.aclose()


def rate_of(purpose):
    return LIMITS.submit_per_second if purpose is Purpose.SUBMIT else LIMITS.query_per_second


async def served(clock, limiter, purpose, priority, order, name):
    """Wait for a turn, note it, and let the reply be heard."""
    await limiter.acquire(purpose, priority)
    order.append((name, clock.monotonic()))
    limiter.heard(purpose, 200, {})


async def settle():
    """Let whoever can run come to a halt without moving the clock."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize("purpose", LIMITED)
async def test_it_holds_to_the_rate(clock, limiter, purpose):
    """A hundred requests take as long as the rate says, and not much longer."""
    order = []
    await asyncio.gather(*(served(clock, limiter, purpose, BULK, order, n) for n in range(100)))
    assert 99 / rate_of(purpose) == pytest.approx(clock.monotonic(), rel=0.05)


@pytest.mark.parametrize("priority", [INTERACTIVE, BULK])
async def test_first_come_first_served_within_a_class(clock, limiter, priority):
    """Whoever asked first goes first."""
    order = []
    await asyncio.gather(*(served(clock, limiter, Purpose.SUBMIT, priority, order, n) for n in range(20)))
    assert list(range(20)) == [name for name, _ in order]


@pytest.mark.parametrize("purpose", LIMITED)
async def test_an_interactive_request_does_not_wait_behind_a_bulk_run(clock, limiter, purpose):
    """Behind 500 bulk requests in line it waits for one or two tokens."""
    order = []
    async with asyncio.TaskGroup() as group:
        for n in range(500):
            group.create_task(served(clock, limiter, purpose, BULK, order, n))
        await settle()
        asked = clock.monotonic()
        group.create_task(served(clock, limiter, purpose, INTERACTIVE, order, "live"))
    assert dict(order)["live"] - asked <= 2.01 / rate_of(purpose)


async def test_bulk_does_not_starve(clock, limiter):
    """Beside interactive requests without end, bulk ones keep a good part of the tokens."""
    order = []
    async with asyncio.TaskGroup() as group:
        for n in range(400):
            group.create_task(served(clock, limiter, Purpose.SUBMIT, INTERACTIVE, order, ("live", n)))
        for n in range(20):
            group.create_task(served(clock, limiter, Purpose.SUBMIT, BULK, order, ("bulk", n)))
    assert 20 >= sum(name[0] == "bulk" for name, _ in order[:100]) >= 10


async def test_the_account_is_never_held_back(clock, limiter):
    """Balance and models wait for nobody, and what they hear changes nothing."""
    before = limiter.submit_rate
    for _ in range(100):
        assert limiter.take_at_once(Purpose.ACCOUNT)
        await limiter.acquire(Purpose.ACCOUNT)
        limiter.heard(Purpose.ACCOUNT, 429, {"X-RateLimit-Remaining": "0"})
        limiter.give_back(Purpose.ACCOUNT)
    assert (before, 0.0, None) == (
        limiter.submit_rate, clock.monotonic(), limiter.last_status(Purpose.ACCOUNT)
    )  # fmt: skip


@pytest.mark.parametrize("purpose", LIMITED)
@pytest.mark.parametrize("leave", ["none", "the first", "all"])
async def test_whoever_is_gone_leaves_the_line_and_costs_nothing(clock, limiter, purpose, leave):
    """Of 200 in line some are cancelled: one that comes after them waits for those who stayed, and no longer."""
    order = []
    await served(clock, limiter, purpose, BULK, order, "before")
    tasks = [asyncio.create_task(served(clock, limiter, purpose, BULK, order, n)) for n in range(200)]
    await settle()
    gone = {"none": [], "the first": tasks[:1], "all": tasks}[leave]
    for task in gone:
        task.cancel()
    await settle()
    await served(clock, limiter, purpose, BULK, order, "after")
    await asyncio.gather(*tasks, return_exceptions=True)
    expected = (200 - len(gone) + 1) / rate_of(purpose)
    assert expected == pytest.approx(dict(order)["after"], rel=0.05)


async def test_cancelling_at_any_moment_loses_no_token(clock, limiter):
    """However callers come and go, those who stay are served at the rate."""
    random, order = Random(3), []

    async def fickle(n):
        await clock.sleep(random.uniform(0.0, 10.0))
        task = asyncio.create_task(served(clock, limiter, Purpose.SUBMIT, random.choice((0, 1)), order, n))
        await clock.sleep(random.choice((0.0, 0.1, 0.3)))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async with asyncio.TaskGroup() as group:
        for n in range(200):
            group.create_task(fickle(n))
            group.create_task(served(clock, limiter, Purpose.SUBMIT, BULK, order, -n))
    times = [at for _, at in order]
    assert (len(order) - 1) / LIMITS.submit_per_second == pytest.approx(max(times), rel=0.1)


@pytest.mark.parametrize("purpose", LIMITED)
async def test_what_was_not_sent_is_given_back(limiter, purpose):
    """A token that came back serves the next one at once."""
    await limiter.acquire(purpose)
    limiter.give_back(purpose)
    assert limiter.take_at_once(purpose)
    assert not limiter.take_at_once(purpose)


@pytest.mark.parametrize("purpose", LIMITED)
async def test_retry_after_is_heeded_by_all(clock, limiter, purpose):
    """What one is told holds for everybody."""
    await limiter.acquire(purpose)
    limiter.heard(purpose, 429, {"Retry-After": "7"})
    await asyncio.gather(limiter.acquire(purpose), limiter.acquire(purpose, BULK))
    assert clock.monotonic() >= 7.0


async def test_the_latest_status_is_kept(limiter):
    """What the headers of the last reply said, and nothing when it said nothing."""
    await limiter.acquire(Purpose.QUERY)
    limiter.heard(Purpose.QUERY, 200, {"X-RateLimit-Remaining": "7"})
    said = limiter.last_status(Purpose.QUERY)
    limiter.heard(Purpose.QUERY, 200, {})
    assert (said and said.remaining, limiter.last_status(Purpose.QUERY)) == (7.0, None)


async def test_rates_and_looks_are_told(limiter):
    """The submit rate, and how many looks per task the query rate leaves."""
    expected = LIMITS.submit_per_second, LIMITS.query_per_second / LIMITS.submit_per_second
    assert expected == (limiter.submit_rate, limiter.looks_per_task())


async def test_opening_and_closing_again_is_harmless(limiter):
    """Several clients may share one: each opens and closes it, and it goes on serving the others."""
    await limiter.open()
    await limiter.aclose()
    await limiter.acquire(Purpose.SUBMIT)
    limiter.heard(Purpose.SUBMIT, 200, {})
    await limiter.aclose()


async def test_a_client_takes_it(limiter):
    """``rate_limits=`` takes any of them, and opens it."""
    opened, close = [], limiter.open

    async def note():
        opened.append(True)
        await close()

    limiter.open = note
    async with AsyncToAPIs(api_key="sk-1", rate_limits=limiter):
        pass
    assert opened == [True]
