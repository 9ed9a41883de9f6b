"""``SharedRateLimits`` as a client sees it; what every limiter promises is in tests/conformance."""

import asyncio
import pickle
import sys
from contextlib import AsyncExitStack
from random import Random

import pytest

from toapis_async import AsyncToAPIs, ImageRequest, LearnedPolling
from toapis_async.clock import SystemClock
from toapis_async.errors import ConfigurationError
from toapis_async.limits import SharedRateLimits
from toapis_async.limits.lease_owner import settled
from toapis_async.testing import Constant, FakeClock, Scenario, Simulator
from toapis_async.values.exchange import Purpose
from toapis_async.values.limits import RateLimits

RATES = RateLimits(submit_per_second=10.0, submit_burst=1, query_per_second=100.0, query_burst=1)


class Kept:
    """Keeps accounts in memory; may be told to be out of reach."""

    def __init__(self):
        self.data, self.broken, self.closed = {}, False, 0

    def owner(self, account, terms):
        kept = self

        class Owner:
            process = ""

            async def exchange(self, report):
                if kept.broken:
                    raise ConnectionError("out of reach")
                kept.data[account], lease = settled(kept.data.get(account), report, terms, now=report.at)
                return lease

            async def aclose(self):
                kept.closed += 1

        return Owner()


@pytest.fixture
def kept():
    """Make a place to keep accounts."""
    return Kept()


@pytest.fixture
def clock():
    """Make time that jumps."""
    return FakeClock()


def limits_of(kept, clock, **settings):
    settings = {"account": "a", "rate_limits": RATES} | settings
    return SharedRateLimits(kept.owner, clock=clock, random=Random(1), **settings)


async def submit(limits, count):
    for _ in range(count):
        await limits.acquire(Purpose.SUBMIT)
        limits.heard(Purpose.SUBMIT, 200, {})


async def test_two_workers_have_the_rate_together(kept, clock):
    """Twenty requests each, of two at once, take as long as forty of one."""
    one, two = limits_of(kept, clock), limits_of(kept, clock)
    await asyncio.gather(submit(one, 20), submit(two, 20))
    assert 39 / RATES.submit_per_second == pytest.approx(clock.monotonic(), rel=0.1)
    await one.aclose()
    await two.aclose()


async def test_a_worker_that_leaves_gives_back_what_it_held(kept, clock):
    """Whoever comes next is alone."""
    one, two = limits_of(kept, clock), limits_of(kept, clock)
    await one.open()
    await two.open()
    await one.aclose()
    await clock.sleep(0.5)
    await submit(two, 1)
    begun = clock.monotonic()
    await submit(two, 20)
    assert pytest.approx(clock.monotonic() - begun, rel=0.1) == 2.0
    await two.aclose()


async def test_one_that_closes_does_not_break_the_rest(kept, clock):
    """Those who still wait in line are served, and the last one to close lets go."""
    limits = limits_of(kept, clock)
    await limits.open()
    waiting = asyncio.create_task(submit(limits, 20))
    await clock.sleep(0.3)
    await limits.aclose()
    await waiting
    await limits.aclose()
    assert kept.closed == 2


async def test_out_of_reach_it_goes_on_at_less_and_says_so_once(kept, clock, caplog):
    """The last known part is kept to, and the log has one line for it and one for the return."""
    caplog.set_level("INFO", "toapis_async.limits")
    limits = limits_of(kept, clock)
    await submit(limits, 20)
    kept.broken = True
    begun = clock.monotonic()
    await submit(limits, 100)
    lost = clock.monotonic() - begun
    kept.broken = False
    await submit(limits, 40)
    await limits.aclose()
    assert 10.0 <= lost <= 13.5
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_never_reached_it_begins_alone(kept, clock, caplog):
    """Without having heard of anybody, it takes a quarter of the rate for its own, less a fifth."""
    kept.broken = True
    limits = limits_of(kept, clock)
    await submit(limits, 11)
    await limits.aclose()
    assert pytest.approx(clock.monotonic(), rel=0.1) == 10 / 2.0
    assert len(caplog.records) == 1


async def test_each_account_has_limits_of_its_own(kept):
    """One object serves clients with different keys; the same key finds the same limits; a name of one's own wins."""
    limits = limits_of(kept, None, account=None)
    names = {}
    for key in ("sk-1", "sk-2", "sk-1"):
        async with AsyncToAPIs(api_key=key, rate_limits=limits):
            names[key] = set(kept.data)
    named = limits_of(kept, None, account="ours")
    assert (2, named) == (len(names["sk-2"]), named.for_account("other"))
    assert not [name for name in kept.data if "sk-" in name]


@pytest.mark.parametrize("settings", [{"rate_limits": None}, {"max_in_flight": 0}, {"rate_limits": RateLimits(
    submit_per_second=0.0, submit_burst=1, query_per_second=1.0, query_burst=1)}])  # fmt: skip
def test_settings_that_cannot_be_right_are_refused(settings):
    """Nothing to share, no place for any task, no rate."""
    with pytest.raises(ConfigurationError):
        SharedRateLimits.on_this_machine(**settings)


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    """Redis is optional."""
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    monkeypatch.delitem(sys.modules, "toapis_async.limits.redis_owner", raising=False)
    with pytest.raises(ImportError, match=r"toapis-async\[redis\]"):
        SharedRateLimits.redis("redis://localhost")


def test_without_ray_it_says_what_to_install(monkeypatch):
    """So is Ray."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r"toapis-async\[ray\]"):
        SharedRateLimits.ray("ours")


@pytest.mark.parametrize("account", [None, "ours"])
async def test_they_travel_to_other_processes(tmp_path, account):
    """A copy that was pickled joins the same account with the same settings, whatever the first one is doing."""
    tmp_path.chmod(0o700)
    settings = {"rate_limits": RATES, "account": account, "max_in_flight": 7, "directory": tmp_path}
    first = SharedRateLimits.on_this_machine(**settings)
    await submit(first, 1)
    copy = pickle.loads(pickle.dumps(first))
    await submit(copy, 1)
    named = copy.for_account("b") is copy
    await first.aclose()
    await copy.aclose()
    assert (len(list(tmp_path.glob("*.sqlite3"))), copy._terms, named) == (1, first._terms, account is not None)


async def test_clients_of_this_machine_share_a_file(tmp_path):
    """Two clients, as two processes would have them, know of each other and are served."""
    tmp_path.chmod(0o700)
    async with Simulator() as simulator:
        limits = [SharedRateLimits.on_this_machine(directory=tmp_path) for _ in range(2)]
        clients = [
            AsyncToAPIs(api_key=simulator.api_key, base_url=simulator.base_url, rate_limits=each) for each in limits
        ]
        async with clients[0] as one, clients[1] as two:
            await asyncio.gather(*(client.images.submit(ImageRequest("a cat")) for client in (one, two)))
    assert simulator.books.posts == 2
    assert len(list(tmp_path.glob("*.sqlite3"))) == 1


@pytest.mark.parametrize("reachable", [True, False])
async def test_sessions_share_a_bound_on_tasks_in_flight(tmp_path, kept, reachable):
    """Two sessions of two workers have six tasks at the gateway together; out of reach each has a part of that."""
    kept.broken = not reachable
    rates = RateLimits(submit_per_second=1000.0, submit_burst=1000, query_per_second=1000.0, query_burst=1000)
    scenario = Scenario(latency=Constant(0.1), files="small", small_bytes=100, max_unfinished=6, tier=rates)
    async with Simulator(scenario) as simulator, AsyncExitStack() as stack:
        sessions = []
        for number in range(2):
            limits = limits_of(kept, SystemClock(), rate_limits=rates, max_in_flight=6)
            client = AsyncToAPIs(
                api_key=simulator.api_key,
                base_url=simulator.base_url,
                rate_limits=limits,
                polling=LearnedPolling(min_interval=0.05),
            )
            await stack.enter_async_context(client)
            session = client.session(tmp_path / str(number), max_concurrency=20)
            sessions.append(await stack.enter_async_context(session))
        reports = await asyncio.gather(
            *(session.run(ImageRequest(f"image {number}") for number in range(20)) for session in sessions)
        )
    assert ([report.saved for report in reports], simulator.books.posts) == ([20, 20], 40)
