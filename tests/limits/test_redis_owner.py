"""An account in a real Redis."""

import asyncio
import time

import pytest

from toapis_async.limits import SharedRateLimits
from toapis_async.limits.lease_owner import Terms
from toapis_async.limits.redis_owner import RedisOwner
from toapis_async.policy.pace.sharing.leases import BudgetReport, Report
from toapis_async.values.exchange import Purpose
from toapis_async.values.limits import TIERS, RateLimits

pytestmark = pytest.mark.redis
TERMS = Terms(limits=TIERS["svip"], fixed=True)


def report(worker, **said):
    return Report(worker=worker, at=time.monotonic(), submit=BudgetReport(**said))


@pytest.fixture
async def owners(redis_server):
    """Make owners of one account; closed at the end."""
    made = []

    def make():
        made.append(RedisOwner(redis_server.url, "toapis", "acme", TERMS))
        return made[-1]

    yield make
    for owner in made:
        await owner.aclose()


async def test_all_at_once_lose_nothing(owners):
    """Of twelve that report at the same moment, each is known to the next."""
    await asyncio.gather(*(owners().exchange(report(str(number))) for number in range(12)))
    assert (await owners().exchange(report("next"))).workers == 13


async def test_it_is_forgotten_in_the_end(owners):
    """What nobody uses leaves Redis, and its key tells neither address nor key."""
    owner = owners()
    await owner.exchange(report("a"))
    (key,) = await owner._redis.keys("*")
    assert b"acme" not in key
    assert 0 < await owner._redis.ttl(key) <= 3600


async def test_what_cannot_be_read_is_learned_again(owners):
    """A state of another version does not stop anybody."""
    owner = owners()
    await owner.exchange(report("a"))
    (key,) = await owner._redis.keys("*")
    await owner._redis.hset(key, "state", b"{}")
    assert (await owner.exchange(report("b"))).workers == 1


async def test_a_server_that_is_gone_is_said_so(owners, redis_server):
    """It is an error that the worker can go on from."""
    owner = owners()
    redis_server.stop()
    with pytest.raises(OSError, match="Redis"):
        await owner.exchange(report("a"))


async def test_without_redis_it_goes_on_alone_and_comes_back(redis_server, caplog):
    """One line in the log when it is lost, one when it is back, and requests go on all the time."""
    caplog.set_level("INFO", "toapis_async.limits")
    rates = RateLimits(submit_per_second=400.0, submit_burst=1, query_per_second=400.0, query_burst=1)
    redis_server.stop()
    limits = SharedRateLimits.redis(redis_server.url, rate_limits=rates, account="a")
    for _ in range(20):
        await limits.acquire(Purpose.SUBMIT)
        limits.heard(Purpose.SUBMIT, 200, {})
    alone = [record.levelname for record in caplog.records]
    await redis_server.start()
    while len(caplog.records) < 2:
        await limits.acquire(Purpose.SUBMIT)
        limits.heard(Purpose.SUBMIT, 200, {})
    await limits.aclose()
    assert (alone, [record.levelname for record in caplog.records]) == (["WARNING"], ["WARNING", "INFO"])
