"""Who may fetch: so many files at once, shared fairly between hosts, and no host keeps others waiting by being slow."""

import asyncio
from collections import Counter, deque
from types import TracebackType
from typing import Self

# Slow transfers hold a socket and nothing else worth having, but there has to be an end to them.
_LENT_AT_LEAST = 64
_LENT_PER_WORKER = 4
_PER_HOST = 2


class DownloadWorkers:
    """So many transfers at once. One that is slow gives its worker to another and goes on without.

    The host with the fewest transfers under way is served first. One host never has more than twice as many as there
    are workers, the slow ones among them.

    Args:
        count: how many.

    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._most_lent = max(_LENT_AT_LEAST, _LENT_PER_WORKER * count)
        self._busy = self._lent = 0
        self._under_way: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    def at(self, host: str) -> "Worker":
        """Return a worker for a transfer from that host; it works inside ``async with``."""
        return Worker(self, host)

    async def take(self, host: str) -> None:
        """Wait for a worker; called by ``Worker``."""
        if not self._waiting and self._free_for(host):
            self._give(host)
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(host, deque()).append(turn)
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            # The worker was given in the very turn of the loop in which the cancellation came.
            if turn.done() and not turn.cancelled():
                self.give_back(host, lent=False)
            else:
                turn.cancel()
                self._serve()
            raise

    def lend(self) -> bool:
        """Let a worker serve another while its transfer goes on; say whether there was room for that."""
        if self._lent >= self._most_lent:
            return False
        self._busy -= 1
        self._lent += 1
        self._serve()
        return True

    def give_back(self, host: str, *, lent: bool) -> None:
        """End a transfer."""
        if lent:
            self._lent -= 1
        else:
            self._busy -= 1
        self._under_way[host] -= 1
        if not self._under_way[host]:
            del self._under_way[host]
        self._serve()

    def _free_for(self, host: str) -> bool:
        return self._busy < self._count and self._under_way[host] < _PER_HOST * self._count

    def _give(self, host: str) -> None:
        self._busy += 1
        self._under_way[host] += 1

    def _serve(self) -> None:
        while self._busy < self._count:
            for host in [host for host, turns in self._waiting.items() if all(turn.done() for turn in turns)]:
                del self._waiting[host]
            free = [host for host in self._waiting if self._free_for(host)]
            if not free:
                return
            host = min(free, key=self._under_way.__getitem__)
            # Taken out and put back at the end, so that of hosts with equally many the one that waited longest is next.
            turns = self._waiting.pop(host)
            while turns[0].done():
                turns.popleft()
            turns.popleft().set_result(None)
            self._give(host)
            if turns:
                self._waiting[host] = turns  # at the end of the line


class Worker:
    """One transfer's turn; see ``DownloadWorkers``."""

    __slots__ = ("_host", "_lent", "_workers")

    def __init__(self, workers: DownloadWorkers, host: str) -> None:
        self._workers = workers
        self._host = host
        self._lent = False

    async def __aenter__(self) -> Self:
        await self._workers.take(self._host)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._workers.give_back(self._host, lent=self._lent)

    def lend(self) -> None:
        """Go on without a worker, because this transfer is slow or waits."""
        self._lent = self._lent or self._workers.lend()
