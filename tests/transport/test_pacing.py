"""The pacer that everything in a client shares."""

import asyncio
from random import Random

import attrs
import pytest

from toapis_async.errors import APIConnectionError, ConfigurationError, Delivery
from toapis_async.testing.fake_clock import FakeClock
from toapis_async.transport.paced_transport import PacedTransport
from toapis_async.transport.pacing import Pacer
from toapis_async.values.exchange import HttpReply, HttpRequest, Purpose
from toapis_async.values.limits import RateLimits

SLOW = RateLimits(submit_per_second=2.0, submit_burst=1, query_per_second=10.0, query_burst=1)


def pacer_of(setting: object, clock: FakeClock) -> Pacer:
    """A pacer in virtual time."""
    return Pacer(setting, clock=clock, random=Random(1))  # type: ignore[arg-type]


@attrs.define
class Scripted:
    """A transport that answers from a list; an exception in it is raised."""

    replies: list[HttpReply | Exception]
    sent: list[HttpRequest] = attrs.field(factory=list)

    async def send(self, request: HttpRequest) -> HttpReply:
        self.sent.append(request)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply


def query() -> HttpRequest:
    """A status query."""
    return HttpRequest(method="GET", path="/images/generations/t", purpose=Purpose.QUERY)


async def test_none_holds_nothing_back() -> None:
    """No limit, no bound on looks."""
    clock = FakeClock()
    pacer = pacer_of(None, clock)
    for _ in range(10_000):
        await pacer.acquire(Purpose.SUBMIT)

    assert clock.monotonic() == 0.0
    assert (pacer.submit_rate, pacer.query_rate, pacer.looks_per_task()) == (None, None, None)


async def test_first_come_first_served_at_the_rate() -> None:
    """Ten submissions at two per second: in order, half a second apart."""
    clock = FakeClock()
    pacer = pacer_of(SLOW, clock)
    order: list[tuple[int, float]] = []

    async def one(n: int) -> None:
        await pacer.acquire(Purpose.SUBMIT)
        order.append((n, clock.monotonic()))

    async with asyncio.TaskGroup() as group:
        for n in range(10):
            group.create_task(one(n))

    assert order == [(n, pytest.approx(0.5 * n)) for n in range(10)]


async def test_one_sleeper_serves_the_whole_line() -> None:
    """A thousand in line are one timer."""
    clock = FakeClock(auto=False)
    pacer = pacer_of(SLOW, clock)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(pacer.acquire(Purpose.QUERY)) for _ in range(1000)]
        for _ in range(5):
            await asyncio.sleep(0)
        sleeping, waiting = clock.sleeping, pacer.snapshot()[Purpose.QUERY].waiting
        for task in tasks:
            task.cancel()

    assert (sleeping, waiting) == (1, 999)


async def test_budgets_are_apart_and_the_account_is_free() -> None:
    """Queries do not wait for submissions; balance and models wait for nobody."""
    clock = FakeClock()
    pacer = pacer_of(SLOW, clock)
    await pacer.acquire(Purpose.SUBMIT)
    await pacer.acquire(Purpose.QUERY)
    for _ in range(100):
        await pacer.acquire(Purpose.ACCOUNT)
    pacer.heard(Purpose.ACCOUNT, 429, {})

    assert clock.monotonic() == 0.0
    assert pacer.last_status(Purpose.ACCOUNT) is None


@pytest.mark.parametrize("victim", [0, 1, 5])
async def test_a_cancelled_wait_costs_nobody_a_turn(victim: int) -> None:
    """Whether it leads the line or stands in it, the others come at the same times as without it."""
    clock = FakeClock()
    pacer = pacer_of(SLOW, clock)
    await pacer.acquire(Purpose.SUBMIT)
    times: list[float] = []

    async def one() -> None:
        await pacer.acquire(Purpose.SUBMIT)
        times.append(clock.monotonic())

    tasks = [asyncio.create_task(one()) for _ in range(7)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tasks[victim].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert sum(isinstance(result, asyncio.CancelledError) for result in results) == 1
    assert times == [pytest.approx(0.5 * n) for n in range(1, 7)]


async def test_random_cancellations_lose_no_token() -> None:
    """After a storm of cancellations the pacer still gives what its rate allows, and nobody hangs."""
    clock, random = FakeClock(), Random(5)
    pacer = pacer_of(RateLimits(submit_per_second=50, submit_burst=5, query_per_second=1, query_burst=1), clock)
    served = 0

    async def one(patience: float) -> None:
        nonlocal served
        waiting = asyncio.create_task(pacer.acquire(Purpose.SUBMIT))
        sleeping = asyncio.create_task(clock.sleep(patience))
        await asyncio.wait({waiting, sleeping}, return_when=asyncio.FIRST_COMPLETED)
        served += waiting.done()
        for task in (waiting, sleeping):
            task.cancel()
        await asyncio.gather(waiting, sleeping, return_exceptions=True)

    async with asyncio.TaskGroup() as group:
        for _ in range(400):
            group.create_task(one(random.uniform(0.0, 8.0)))
    await pacer.acquire(Purpose.SUBMIT)

    assert served >= 150
    assert pacer.snapshot()[Purpose.SUBMIT].waiting == 0


async def test_a_refusal_pauses_everybody_and_is_counted() -> None:
    """Retry-After to one is Retry-After to all."""
    clock = FakeClock()
    pacer = pacer_of("auto", clock)
    await pacer.acquire(Purpose.SUBMIT)
    pacer.heard(Purpose.SUBMIT, 429, {"Retry-After": "3"})
    await pacer.acquire(Purpose.SUBMIT)
    statistics = pacer.snapshot()[Purpose.SUBMIT]

    assert clock.monotonic() >= 3.0
    assert (statistics.refused, statistics.sent) == (1, 2)


async def test_server_errors_cut_nothing() -> None:
    """A 5xx is no word about the rate, nor is a lost reply."""
    clock = FakeClock()
    pacer = pacer_of("default", clock)
    for status in (500, 502, 503, 504, 524, None):
        await pacer.acquire(Purpose.SUBMIT)
        pacer.heard(Purpose.SUBMIT, status, {})

    assert pacer.submit_rate == 5.0
    assert clock.monotonic() == 0.0


async def test_a_refusal_about_concurrency_is_not_about_the_rate() -> None:
    """By category, or because the rate has room; but headers that deny it for ever are not believed."""
    clock = FakeClock()
    pacer = pacer_of(SLOW, clock)
    pacer.heard(Purpose.SUBMIT, 429, {"X-RateLimit-Category": "concurrency"})
    pacer.heard(Purpose.SUBMIT, 429, {"X-RateLimit-Remaining": "17"})
    spared = pacer.submit_rate
    await pacer.acquire(Purpose.SUBMIT)
    pacer.heard(Purpose.SUBMIT, 200, {})
    for _ in range(30):
        pacer.heard(Purpose.SUBMIT, 429, {"X-RateLimit-Remaining": "17"})

    assert spared == 2.0
    assert pacer.submit_rate is not None
    assert pacer.submit_rate < 2.0


@pytest.mark.parametrize(
    ("setting", "looks"), [("default", 10.0), ("vip", 10.0), ("svip", 15.0), ("auto", 10.0), (SLOW, 5.0)]
)
def test_looks_per_task_are_the_ratio_of_the_budgets(setting: object, looks: float) -> None:
    """What the query budget allows at the submit rate."""
    assert pacer_of(setting, FakeClock()).looks_per_task() == pytest.approx(looks)


@pytest.mark.parametrize(
    "change",
    [{"submit_per_second": 0.0}, {"query_per_second": float("nan")}, {"submit_burst": 0.5}, {"query_burst": -1}],
)
def test_senseless_limits_are_refused(change: dict[str, float]) -> None:
    """Before anything is sent, with the field's name."""
    with pytest.raises(ConfigurationError, match=next(iter(change))) as caught:
        pacer_of(attrs.evolve(SLOW, **change), FakeClock())

    assert caught.value.hint


async def test_a_query_limit_that_was_met_bounds_the_looks() -> None:
    """While nothing is known the documented ratio holds; after a refusal the rates that are in force do."""
    clock = FakeClock()
    pacer = pacer_of("auto", clock)
    before = pacer.looks_per_task()
    for _ in range(500):
        await pacer.acquire(Purpose.QUERY)
        pacer.heard(Purpose.QUERY, 200, {})
    pacer.heard(Purpose.QUERY, 429, {})

    assert before == 10.0
    assert pacer.looks_per_task() == pytest.approx(pacer.query_rate / pacer.submit_rate)


async def test_a_paced_transport_waits_sends_and_listens() -> None:
    """The reply goes back as it came, and what it said is heard."""
    clock = FakeClock()
    pacer = pacer_of(SLOW, clock)
    reply = HttpReply(200, {"X-RateLimit-Remaining": "7"}, b"{}")
    inner = Scripted([reply, reply])
    transport = PacedTransport(inner, pacer)
    first = await transport.send(query())
    await transport.send(query())
    status = pacer.last_status(Purpose.QUERY)

    assert first is reply
    assert clock.monotonic() == pytest.approx(0.1)
    assert status is not None
    assert status.remaining == 7.0


async def test_a_broken_exchange_passes_through() -> None:
    """The error is the inner transport's own."""
    broken = APIConnectionError("gone", delivery=Delivery.UNKNOWN)
    transport = PacedTransport(Scripted([broken]), pacer_of("auto", FakeClock()))

    with pytest.raises(APIConnectionError) as caught:
        await transport.send(query())

    assert caught.value is broken
