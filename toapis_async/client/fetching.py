"""One file of a finished task, from its address to a verified file on the disk."""

import random as random_module
from functools import partial

import attrs

from toapis_async.client.dispatching import Tell, tell_nobody
from toapis_async.client.saving import (
    FETCH_AGAIN,
    RAISE_CAP,
    FileTarget,
    is_data_address,
    publish,
    refuse_flaws,
    save_data_address,
)
from toapis_async.clock import Clock
from toapis_async.errors import ContentMismatchError, DownloadError, LinkExpiredError, TruncatedError
from toapis_async.policy.files.addresses import host_of
from toapis_async.policy.files.structure import StructureCheck
from toapis_async.policy.files.transfers import Answer, FileVersion, answer_of, delay_seconds, worth_another_try
from toapis_async.ports.events import TransferBegun, TransferDone, TransferRetried
from toapis_async.ports.sink import Draft
from toapis_async.transport.files import FileHost, FileReply
from toapis_async.values.files import SavedFile

MAX_FILE_BYTES = 2 * 1024**3
ATTEMPTS = 5

_PROGRESS_BYTES = 262_144
_SLOWEST_BYTES_PER_SECOND = 1024
_SLOW_AFTER_SECONDS = 60.0

_LOOK_AGAIN = "Look the task up again for a fresh link; links live for 24 hours."


async def fetch_file(
    host: FileHost,
    url: str,
    target: FileTarget,
    *,
    clock: Clock,
    random: random_module.Random,
    tell: Tell = tell_nobody,
    max_bytes: int = MAX_FILE_BYTES,
    attempts: int = ATTEMPTS,
) -> SavedFile:
    """Fetch, verify and save a file; ``data:`` addresses need no network.

    A broken transfer continues where it broke when the host can do that, and starts over otherwise. Tries that bring
    the file forward by 256 KiB do not count.

    Args:
        host: open.
        url: as the gateway gave it.
        target: where the file belongs.
        clock, random: for waiting between tries.
        tell: hears of the transfer.
        max_bytes: a longer file is refused.
        attempts: how many tries in all.

    Raises:
        LinkExpiredError: the link has died; at once, so that the task can be looked up for a fresh one.
        ContentMismatchError: no image or video came, or one that is too long.
        TruncatedError: every transfer broke.
        DownloadError: the address is refused, or the host is down.
        StorageError: the file could not be kept.

    """
    if is_data_address(url):
        return await save_data_address(url, target, max_bytes=max_bytes)
    told = partial(tell, host=host_of(url, base_url=host.base_url), index=target.index)
    draft = target.sink.draft(target.stem)
    try:
        told(TransferBegun)
        began = clock.monotonic()
        transfer = _Transfer(host=host, url=url, draft=draft, clock=clock, max_bytes=max_bytes, tell=told)
        await transfer.run(attempts=attempts, random=random)
        file = await publish(draft, transfer.structure, target)
        told(TransferDone, bytes=file.bytes, seconds=clock.monotonic() - began)
        return file
    finally:
        await draft.discard()


@attrs.define(eq=False, kw_only=True)
class _Transfer:
    """The tries for one file. What arrived stays in the draft from try to try as far as it can be used."""

    host: FileHost
    url: str
    draft: Draft
    clock: Clock
    max_bytes: int
    tell: Tell
    structure: StructureCheck = attrs.field(factory=StructureCheck)
    version: FileVersion = attrs.field(factory=FileVersion)
    retry_after_seconds: float | None = None
    hopeless: bool = False

    async def run(self, *, attempts: int, random: random_module.Random) -> None:
        failures, furthest = 0, 0
        while True:
            self.retry_after_seconds = None
            try:
                return await self._try()
            except DownloadError as error:
                if self.draft.bytes_written >= furthest + _PROGRESS_BYTES:
                    failures, furthest = 0, self.draft.bytes_written
                failures += 1
                if self.hopeless or failures >= attempts or not worth_another_try(error):
                    raise
                self.tell(TransferRetried, error=error)
            await self.clock.sleep(delay_seconds(failures, retry_after_seconds=self.retry_after_seconds, random=random))

    async def _try(self) -> None:
        begun, validator = self.version, self.version.validator
        offset = self.draft.bytes_written if validator is not None else 0
        async with self.host.get(self.url, offset=offset, validator=validator) as reply:
            found, said = reply.version, reply.content_range
            answer = answer_of(reply.http_status, offset=offset, content_range=said, begun=begun, found=found)
            if answer is Answer.NOTHING_LEFT:
                return self._check_whole(reply.url)
            if answer is not Answer.REST:
                self._forget()
                await self.draft.restart()
                self.structure = StructureCheck()
            if answer is not Answer.REST and answer is not Answer.WHOLE:
                self.retry_after_seconds = reply.retry_after_seconds
                raise _refused(answer, reply)
            length = self._expected_length(reply)
            if answer is Answer.WHOLE and reply.validator is not None:
                self.version = attrs.evolve(found, length=length)
            await self._receive(reply)
        self._check_length(length, reply.url)
        return self._check_whole(reply.url)

    def _forget(self) -> None:
        """Have the next try begin anew."""
        self.version = FileVersion()

    def _expected_length(self, reply: FileReply) -> int | None:
        length = reply.version.length
        if length is None and reply.declared_length is not None:
            length = self.draft.bytes_written + reply.declared_length
        if length is not None and length > self.max_bytes:
            raise self._too_long(reply)
        return length

    async def _receive(self, reply: FileReply) -> None:
        draft, clock = self.draft, self.clock
        started, before = clock.monotonic(), draft.bytes_written
        async for chunk in reply.chunks():
            if self.structure.feed(chunk) is not None:
                self._check_structure(reply.url)
            await draft.write(chunk)
            if draft.bytes_written > self.max_bytes:
                raise self._too_long(reply)
            elapsed = clock.monotonic() - started
            if elapsed > _SLOW_AFTER_SECONDS and draft.bytes_written - before < elapsed * _SLOWEST_BYTES_PER_SECOND:
                raise DownloadError("The transfer is too slow to ever end.", url=reply.url, hint=FETCH_AGAIN)

    def _check_whole(self, url: str) -> None:
        self.structure.finish()
        self._check_structure(url)

    def _check_structure(self, url: str) -> None:
        """Refuse what cannot be a whole file, even if every byte came that was declared; its bytes are of no use."""
        if self.structure.flaw is not None:
            self._forget()
        refuse_flaws(self.structure, url=url)

    def _check_length(self, length: int | None, url: str) -> None:
        received = self.draft.bytes_written
        if length is not None and received != length:
            if received > length:
                self._forget()
            raise TruncatedError(f"{received} of {length} bytes came.", url=url, hint=FETCH_AGAIN)

    def _too_long(self, reply: FileReply) -> ContentMismatchError:
        self.hopeless = True
        return ContentMismatchError(
            f"The file is longer than {self.max_bytes} bytes.",
            url=reply.url,
            http_status=reply.http_status,
            hint=RAISE_CAP,
        )


def _refused(answer: Answer, reply: FileReply) -> DownloadError:
    status, url = reply.http_status, reply.url
    if answer is Answer.GONE:
        return LinkExpiredError(f"The link has died ({status}).", url=url, http_status=status, hint=_LOOK_AGAIN)
    if answer is Answer.START_OVER:
        return TruncatedError("The transfer cannot be continued.", url=url, http_status=status, hint=FETCH_AGAIN)
    return DownloadError(f"The file host answered {status}.", url=url, http_status=status, hint=FETCH_AGAIN)
