"""An account in an actor of a real Ray."""

import asyncio
import time
from uuid import uuid4

import pytest

from toapis_async import AsyncToAPIs, ImageRequest
from toapis_async.errors import ConfigurationError
from toapis_async.limits import SharedRateLimits
from toapis_async.limits.lease_owner import Terms
from toapis_async.limits.ray_owner import LimitsActor, RayOwner
from toapis_async.policy.pace.sharing.leases import BudgetReport, Happening, Heard, Report
from toapis_async.testing import FakeClock, Scenario, Simulator
from toapis_async.values.exchange import Purpose
from toapis_async.values.limits import TIERS, RateLimits

pytestmark = pytest.mark.ray
TERMS = Terms(limits=TIERS["svip"], fixed=True)
RATES = RateLimits(submit_per_second=40.0, submit_burst=10, query_per_second=400.0, query_burst=400)


def report(worker, leaving=False, **said):
    return Report(worker=worker, at=time.time(), submit=BudgetReport(**said), leaving=leaving)


def die(ray, owner):
    """Kill the actor that an owner has met, as a lost machine would."""
    ray.kill(owner._actor)


@pytest.fixture
async def owners(ray_cluster):
    """Make owners of one account; closed at the end, and their actor ends."""
    made, name = [], uuid4().hex

    def make(**settings):
        made.append(RayOwner(name, "acme", TERMS, **settings))
        return made[-1]

    yield make
    for owner in made:
        await owner.aclose()
    for owner in made:
        if owner._actor is not None:
            die(ray_cluster, owner)


async def test_two_share_one_account(owners):
    """What one is lent the other is not."""
    one, two = owners(), owners()
    await one.exchange(report("a", bulk=1000))
    lease = await two.exchange(report("b", bulk=1000))
    assert (2, pytest.approx(TIERS["svip"].submit_per_second / 2)) == (lease.workers, lease.submit.per_second)


async def test_all_at_once_lose_nothing(owners):
    """Of twelve that come first at the same moment, one starts the actor, and each is known to the next."""
    await asyncio.gather(*(owners().exchange(report(str(number))) for number in range(12)))
    assert (await owners().exchange(report("next"))).workers == 13


async def test_the_actors_name_tells_no_account(owners, ray_cluster):
    """Whoever lists the cluster's actors sees neither address nor key."""
    owner = owners()
    await owner.exchange(report("a"))
    listed = ray_cluster.util.list_named_actors(all_namespaces=True)
    assert owner._name in [entry["name"] for entry in listed]
    assert "acme" not in str(listed)


async def test_a_worker_that_is_silent_gives_its_part_back(owners):
    """One that has died is missed within five seconds."""
    owner = owners()
    await owner.exchange(report("dead", bulk=1000))
    async with asyncio.timeout(5.0):
        while (await owner.exchange(report("b", bulk=1000))).workers > 1:
            await asyncio.sleep(0.1)


async def test_one_that_leaves_is_gone_at_once(owners):
    """Whoever comes next is alone."""
    owner = owners()
    await owner.exchange(report("a", bulk=1000, leaving=True))
    assert (await owner.exchange(report("b"))).workers == 1


async def test_an_actor_that_died_is_started_again_with_what_was_known(owners, ray_cluster):
    """The loss is said once; then there is a new one, which keeps to the pause and lends no second burst."""
    owner = owners()
    await owner.exchange(report("a", bulk=1000))
    at = time.time()
    heard = (Heard(at, Happening.SENT), Heard(at, Happening.REFUSED, None, 30.0))
    await owner.exchange(report("a", bulk=1000, heard=heard))
    die(ray_cluster, owner)
    with pytest.raises(OSError, match="actor"):
        await owner.exchange(report("a", bulk=1000, first=2))
    again = await owner.exchange(report("a", bulk=1000, first=2))
    assert (again.workers, again.submit.tokens) == (1, 0.0)
    assert again.submit.paused_seconds > 20.0


async def test_nobody_left_nothing_stays(owners, ray_cluster):
    """Without reports the actor ends, and the next one that comes starts another."""
    owner = owners(idle_seconds=0.2)
    await owner.exchange(report("a"))
    async with asyncio.timeout(20.0):
        while owner._name in str(ray_cluster.util.list_named_actors(all_namespaces=True)):
            await asyncio.sleep(0.05)
    assert (await owners(idle_seconds=60.0).exchange(report("b"))).workers == 1


async def test_a_killed_actor_slows_nobody_and_hurries_nobody(ray_cluster):
    """Two clients go on while it dies: they submit all, and the gateway refuses none of it."""
    rates = RateLimits(submit_per_second=40.0, submit_burst=20, query_per_second=400.0, query_burst=400)
    async with Simulator(Scenario(tier=rates)) as simulator:
        settings = {"rate_limits": RATES, "account": uuid4().hex}
        limits = [SharedRateLimits.ray(**settings) for _ in range(2)]
        one, two = (
            AsyncToAPIs(api_key=simulator.api_key, base_url=simulator.base_url, rate_limits=each) for each in limits
        )
        async with one, two:
            running = [
                asyncio.create_task(client.images.submit(ImageRequest(f"a cat {number}")))
                for number in range(120)
                for client in (one, two)
            ]
            while simulator.books.posts < 40:
                await asyncio.sleep(0.01)
            die(ray_cluster, limits[0]._owner)
            await asyncio.gather(*running)
            die(ray_cluster, limits[0]._owner)
    assert (simulator.books.posts, simulator.books.accepted) == (240, 240)


async def test_without_a_cluster_it_says_so(ray_cluster, monkeypatch):
    """It starts none by itself, which would be shared with nobody."""
    monkeypatch.setattr(ray_cluster, "is_initialized", lambda: False)
    limits = SharedRateLimits.ray("ours", account="a")
    with pytest.raises(ConfigurationError, match=r"ray\.init"):
        await limits.acquire(Purpose.SUBMIT)


async def test_a_cluster_that_was_left_is_out_of_reach(ray_cluster, monkeypatch):
    """After ``ray.shutdown()`` no other cluster is started either."""
    owner = RayOwner("ours", "acme", TERMS)
    monkeypatch.setattr(ray_cluster, "is_initialized", lambda: False)
    with pytest.raises(OSError, match="cluster"):
        await owner.exchange(report("a"))


@pytest.mark.parametrize(("seconds", "spare"), [(0.0, 0.0), (10.0, 1.0)])
async def test_a_newcomer_who_was_first_is_corrected(seconds, spare):
    """A copy from before is believed in the first seconds of a new actor, even after others; later it is too old."""
    clock = FakeClock()

    def said(worker):
        return Report(worker=worker, at=clock.now(), submit=BudgetReport(bulk=1))

    old, new = LimitsActor(clock=clock), LimitsActor(clock=clock)
    _, kept = await old.exchange(said("a"), TERMS, None)
    await new.exchange(said("b"), TERMS, None)
    await clock.sleep(seconds)
    lease, _ = await new.exchange(said("a"), TERMS, kept)
    for actor in (old, new):
        actor._watch.cancel()
    assert lease.submit.tokens == spare
