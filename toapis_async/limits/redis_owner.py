"""Shares an account through Redis."""

from hashlib import sha256
from random import Random

from redis.asyncio import Redis
from redis.exceptions import RedisError

from toapis_async.clock import SystemClock
from toapis_async.limits.lease_owner import Terms, settled
from toapis_async.policy.pace.sharing.leases import Lease, Report

_PATIENCE = 1.0  # seconds for one command
# What was learned an hour ago says little about the limits of now.
_KEPT_SECONDS = 3600
_TRIES = 50
_STEP_ASIDE = 0.004  # seconds, at most, times the tries so far

_READ = """
local time = redis.call('TIME')
local kept = redis.call('HMGET', KEYS[1], 'version', 'state')
return {time[1], time[2], kept[1] or '0', kept[2]}
"""

_REPLACE = """
if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'state', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""


class RedisOwner:
    """A ``LeaseOwner``: reads the state with the server's time, and replaces it if nobody else did meanwhile.

    Args:
        url: ``redis://`` or ``rediss://``.
        prefix: of the key.
        account: its name.
        terms: what this worker wants.

    """

    process = ""

    def __init__(self, url: str, prefix: str, account: str, terms: Terms) -> None:
        self._redis: Redis = Redis.from_url(url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE)
        self._key = f"{prefix}:limits:{sha256(account.encode()).hexdigest()[:32]}"
        self._terms = terms
        self._read = self._redis.register_script(_READ)
        self._replace = self._redis.register_script(_REPLACE)
        self._random = Random()

    async def exchange(self, report: Report) -> Lease:
        """See ``LeaseOwner.exchange``."""
        try:
            for tries in range(_TRIES):
                seconds, micros, version, kept = await self._read(keys=[self._key])
                # The server's time, since the clocks of several machines differ.
                now = int(seconds) + int(micros) / 1e6
                state, lease = settled(kept, report, self._terms, now=now)
                arguments = [version, int(version) + 1, state, _KEPT_SECONDS]
                # Compared and set by a script: whoever loses the race reads again, and no report is lost.
                if await self._replace(keys=[self._key], args=arguments):
                    return lease
                # Jittered and growing, or the same workers would meet again at once.
                await SystemClock().sleep(self._random.uniform(0.0, _STEP_ASIDE * (1 + tries)))
        except RedisError as error:
            raise ConnectionError("Redis cannot be reached") from error
        raise ConnectionError(f"the state in Redis was replaced by others {_TRIES} times in a row")

    async def aclose(self) -> None:
        """See ``LeaseOwner.aclose``."""
        await self._redis.aclose()
