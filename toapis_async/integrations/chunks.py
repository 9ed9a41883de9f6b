"""Rows into images inside any engine: ``run_chunk(rows, config)``, a plain function that pickles.

An engine runs a part of its work again when a worker dies. Here that pays for nothing again: on a directory that the
workers share each chunk has a journal of its own, and without one a claim in the bucket and references that are the
same at every attempt, so that whoever takes the chunk over asks first.
"""

import asyncio
import atexit
import json
import logging
import os
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack
from typing import TypeVar, cast

from toapis_async.async_client import AsyncToAPIs
from toapis_async.batch.session import GenerationSession
from toapis_async.clock import SystemClock
from toapis_async.errors import InvalidRequestError, JournalLockedError, ToAPIsError
from toapis_async.integrations.chunk_claim import ChunkClaim
from toapis_async.integrations.chunk_config import ChunkConfig
from toapis_async.integrations.chunk_rows import Result, Row, failed, read_rows, result_of, saved_files
from toapis_async.policy.money.chunks import chunk_digest
from toapis_async.storage.chunk_claims import Claims, claims_at
from toapis_async.storage.files.sinks import sink_at
from toapis_async.values.files import is_address
from toapis_async.values.requests import GenerationRequest

logger: logging.Logger = logging.getLogger("toapis_async")

T = TypeVar("T")

_OWNED_LOOK_SECONDS = 1.0


class ChunkWorker:
    """One client for a process, on a thread and an event loop of its own; any thread may call it, several at once.

    Args:
        config: of the run.

    """

    def __init__(self, config: ChunkConfig) -> None:
        self._config = config
        self._claims: Claims = claims_at(config.state, config.store_options)
        self._clock = SystemClock()
        self._client: AsyncToAPIs | None = None
        self._loop = asyncio.new_event_loop()
        # A daemon: an engine that ends without closing us must not hang; what was begun is resumed.
        self._thread = threading.Thread(target=self._loop.run_forever, name="toapis-chunks", daemon=True)
        self._thread.start()
        self._in_order = asyncio.run_coroutine_threadsafe(_lock(), self._loop).result()

    def submit(self, rows: Sequence[Row]) -> "Future[list[Result]]":
        """Make the images of a chunk; the future has the columns to add to each row, in order."""
        return self._run(self._chunk(rows))

    def close(self) -> None:
        """Close the client and end the thread; a second time does nothing. Chunks under way are given up."""
        if self._loop.is_closed():
            return
        self._run(self._close()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[object, object, T]) -> "Future[T]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _close(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
        await self._loop.shutdown_default_executor()

    async def _opened(self) -> AsyncToAPIs:
        async with self._in_order:
            if self._client is None:
                settings = cast("dict[str, object]", dict(self._config.client))
                self._client = await AsyncToAPIs(**settings).__aenter__()  # type: ignore[arg-type]  # checked there
        return self._client

    async def _chunk(self, rows: Sequence[Row]) -> list[Result]:
        read = read_rows(rows, self._config)
        requests = [request for request in read if not isinstance(request, InvalidRequestError)]
        made = iter(await self._made(requests) if requests else ())
        results = [failed(one) if isinstance(one, InvalidRequestError) else next(made) for one in read]
        if self._config.on_failed == "raise":
            for result in results:
                if not result["ok"]:
                    raise ToAPIsError(f"A row failed: {result['error_type']}: {result['error']}")
        return results

    async def _made(self, requests: list[GenerationRequest]) -> list[Result]:
        config = self._config
        digest = chunk_digest([request.id or "" for request in requests])
        claim = ChunkClaim(claims=self._claims, run_id=config.run_id, job=config.job, digest=digest)
        try:
            client = await self._opened()
            await claim.take()
            if (known := await self._known(claim, requests)) is not None:
                return known
            results = await self._run_chunk(client, claim, requests)
        except ToAPIsError as error:
            return [failed(error) for _ in requests]
        if is_address(config.state) and all(result["ok"] for result in results):
            await self._claims.replace(f"{claim.name}.done", json.dumps(results))
        return results

    async def _known(self, claim: ChunkClaim, requests: list[GenerationRequest]) -> list[Result] | None:
        """Return what an earlier owner has made of the whole chunk, where all of it is still there."""
        text = await self._claims.read(f"{claim.name}.done") if claim.was_claimed else None
        if text is None:
            return None
        results = cast("list[Result]", json.loads(text))
        files = [saved_files(result) for result in results]
        if None in files:
            return None
        async with sink_at(self._config.output, store_options=self._options(self._config.output)) as sink:
            intact = await sink.intact([each for each in files if each is not None])
        return [{**result, "resumed": True} for result in results] if all(intact) else None

    async def _run_chunk(
        self, client: AsyncToAPIs, claim: ChunkClaim, requests: list[GenerationRequest]
    ) -> list[Result]:
        """Make a chunk in a session of its own."""
        results: dict[int, Result] = {}
        places = {request.id: index for index, request in enumerate(requests)}
        stopped: ToAPIsError = ToAPIsError("The chunk was given up before this row was sent.")
        async with AsyncExitStack() as stack:
            session = await self._session(client, claim, stack)
            if is_address(self._config.state):  # a directory's lock keeps others out by itself
                await stack.enter_async_context(claim.watched(self._clock, session.drain))
            try:
                async for outcome in session.stream(requests):
                    # What the session has taken up from an earlier owner has no place in the input.
                    index = outcome.item.index
                    results[places[outcome.item.key] if index is None else index] = result_of(outcome)
            except ToAPIsError as error:
                stopped = error
        return [results.get(index) or failed(stopped) for index in range(len(requests))]

    async def _session(self, client: AsyncToAPIs, claim: ChunkClaim, stack: AsyncExitStack) -> GenerationSession:
        """Open the chunk's session; on a shared directory a live owner is waited for."""
        config = self._config
        in_bucket = is_address(config.state)
        ask = claim.was_claimed or claim.is_rerun if in_bucket else claim.is_rerun and not claim.was_claimed
        while True:
            session = client.session(
                config.output,
                journal=False if in_bucket else os.path.join(config.state, claim.name),  # noqa: PTH118 - as it was given
                max_concurrency=config.in_flight,
                resume_references=True if ask else "new",
                store_options=self._options(config.output),
            )
            try:
                return await stack.enter_async_context(session)
            except JournalLockedError:
                logger.info("Another worker has chunk %s; waiting for it.", claim.digest)
                await self._clock.sleep(_OWNED_LOOK_SECONDS)

    def _options(self, place: str) -> dict[str, object] | None:
        return dict(self._config.store_options) if is_address(place) else None


async def _lock() -> asyncio.Lock:
    return asyncio.Lock()


_workers: dict[str, ChunkWorker] = {}
_one_at_a_time = threading.Lock()


def worker_for(config: ChunkConfig) -> ChunkWorker:
    """Return this process's worker for a job; it is made once, and closed when the process ends."""
    with _one_at_a_time:
        if config.job not in _workers:
            worker = _workers[config.job] = ChunkWorker(config)
            atexit.register(worker.close)
        return _workers[config.job]


def run_chunk(rows: Sequence[Row], config: ChunkConfig) -> list[dict[str, object]]:
    """Make the images of some rows, and return the rows with the columns that tell of them; blocks.

    Safe to run again after a worker or the whole job has died: give the same ``run_id``, and rows in the same chunks
    where that is easily had.

    Args:
        rows: mappings of column to value.
        config: of the run; made once, where the job is started, and handed to every worker.

    Raises:
        ConfigurationError: a setting is wrong.
        ToAPIsError: with ``on_failed="raise"``, the first row that failed.

    """
    results = worker_for(config).submit(rows).result()
    return [{**row, **result} for row, result in zip(rows, results, strict=True)]
