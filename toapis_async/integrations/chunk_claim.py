"""Who works on a chunk: told by a claim that is written before the first request is sent."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import attrs

from toapis_async.clock import Clock
from toapis_async.errors import StorageError
from toapis_async.policy.files.naming import file_stem
from toapis_async.storage.chunk_claims import Claims

logger: logging.Logger = logging.getLogger("toapis_async")

# Well under the grace period for which the next owner asks before it sends anything.
LOOK_SECONDS = 4.0


@attrs.define(kw_only=True, eq=False)
class ChunkClaim:
    """The claim of one chunk of a run.

    Attributes:
        claims: where it is kept.
        run_id, job, digest: which run, which start of it, and which chunk.
        was_claimed: whether somebody had the chunk before.
        is_rerun: whether the run was started before this job.

    """

    claims: Claims
    run_id: str
    job: str
    digest: str
    was_claimed: bool = False
    is_rerun: bool = False
    _owner: str = attrs.field(factory=lambda: uuid4().hex, init=False)

    @property
    def name(self) -> str:
        """Of the chunk, below the place where the run is remembered."""
        return f"{file_stem(self.run_id)}/{self.digest}"

    async def take(self) -> None:
        """Write it, durably; whoever had it sends nothing more soon after.

        Raises:
            StorageError: it could not be written.

        """
        first = f"{file_stem(self.run_id)}/job"
        self.is_rerun = not await self.claims.create(first, self.job) and await self.claims.read(first) != self.job
        self.was_claimed = not await self.claims.create(f"{self.name}.claim", self._owner)
        if self.was_claimed:
            await self.claims.replace(f"{self.name}.claim", self._owner)

    @contextlib.asynccontextmanager
    async def watched(self, clock: Clock, lost: Callable[[], None]) -> AsyncIterator[None]:
        """Call *lost* once somebody else has it, or it cannot be seen any more."""
        watch = asyncio.get_running_loop().create_task(self._watch(clock, lost))
        try:
            yield
        finally:
            watch.cancel()
            await asyncio.wait([watch])

    async def _watch(self, clock: Clock, lost: Callable[[], None]) -> None:
        while True:
            await clock.sleep(LOOK_SECONDS)
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    owner = await self.claims.read(f"{self.name}.claim")
            except (StorageError, TimeoutError) as error:
                logger.warning("The claim of a chunk cannot be seen, so it sends nothing more: %s", error)
                owner = None
            if owner != self._owner:
                lost()
                return
