"""One file of a finished task, from its address to a verified file on the disk."""

import random as random_module
from collections import Counter, deque
from collections.abc import Callable
from functools import partial

import attrs

from toapis_async.client.dispatching import Tell, tell_nobody
from toapis_async.client.file_sources import FileSources
from toapis_async.client.finishing import HeldPicture
from toapis_async.client.saving import (
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
from toapis_async.transport.file_reply import FETCH_AGAIN, FileReply
from toapis_async.transport.files import FileHost
from toapis_async.values.files import SavedFile

MAX_FILE_BYTES = 2 * 1024**3
# Tries without progress; those that bring a file forward do not count, however many a long file takes.
ATTEMPTS = 5

# Less than that per try would let a host that sends a little each time hold a transfer for ever.
_PROGRESS_BYTES = 262_144

_LOOK_AGAIN = "Look the task up again for a fresh link; links live for 24 hours."


async def fetch_file(
    host: FileHost,
    url: str,
    target: FileTarget,
    *,
    clock: Clock,
    random: random_module.Random,
    tell: Tell = tell_nobody,
    sources: FileSources | None = None,
    on_slow: Callable[[], None] = lambda: None,
    max_bytes: int = MAX_FILE_BYTES,
    attempts: int = ATTEMPTS,
) -> SavedFile:
    """Fetch, verify and save a file; ``data:`` addresses need no network.

    A broken transfer continues where it broke when the host can do that, and starts over otherwise. Tries that bring
    the file forward by 256 KiB do not count. Where the file lies on several hosts, each try goes to the next; the word
    of the host that the link names counts for more.

    Args:
        host: open.
        url: as the gateway gave it.
        target: where the file belongs.
        clock, random: for waiting between tries.
        tell: hears of the transfer.
        sources: where the file lies; None for where the link says.
        on_slow: called, perhaps several times, when the transfer is slow or waits.
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
    sources = sources or FileSources(base_url=host.base_url, clock=clock)
    url = sources.named(url)
    told = partial(tell, host=host_of(url, base_url=host.base_url), index=target.index)
    draft = target.sink.draft(target.stem)
    try:
        told(TransferBegun)
        began = clock.monotonic()
        transfer = _Transfer(
            host=host,
            named=url,
            sources=sources,
            draft=draft,
            held=HeldPicture(finish=target.finish),
            clock=clock,
            max_bytes=max_bytes,
            tell=told,
            on_slow=on_slow,
        )
        await transfer.run(attempts=attempts, random=random)
        await transfer.held.embed(draft, transfer.structure)
        file = await publish(draft, transfer.structure, target)
        told(TransferDone, bytes=file.bytes, seconds=clock.monotonic() - began)
        return file
    finally:
        await draft.discard()


@attrs.define(eq=False, kw_only=True)
class _Transfer:
    """The tries for one file. What arrived stays in the draft from try to try as far as it can be used."""

    host: FileHost
    named: str
    sources: FileSources
    draft: Draft
    held: HeldPicture
    clock: Clock
    max_bytes: int
    tell: Tell
    on_slow: Callable[[], None]
    structure: StructureCheck = attrs.field(factory=StructureCheck)
    version: FileVersion = attrs.field(factory=FileVersion)
    retry_after_seconds: float | None = None
    hopeless: bool = False
    left: deque[str] = attrs.field(init=False)
    failures: Counter[str] = attrs.field(factory=Counter)
    gone: LinkExpiredError | None = None

    async def run(self, *, attempts: int, random: random_module.Random) -> None:
        self.left = deque(self.sources.addresses(self.named))
        furthest = 0
        while True:
            self.retry_after_seconds, url = None, self.left[0]
            try:
                await self._try(url)
            except DownloadError as error:
                self.sources.heard(url, error)
                if self.draft.bytes_written >= furthest + _PROGRESS_BYTES:
                    furthest = self.draft.bytes_written
                    self.failures.clear()
                self.failures[url] += 1
                self._go_elsewhere(url, error)
                if self.failures.total() >= attempts:
                    raise
                self.tell(TransferRetried, error=error)
            else:
                return self.sources.heard(url, None)
            if failures := self.failures[self.left[0]]:
                self.on_slow()
                pause = delay_seconds(failures, retry_after_seconds=self.retry_after_seconds, random=random)
                await self.clock.sleep(pause)

    def _go_elsewhere(self, url: str, error: DownloadError) -> None:
        """Have the next address tried, or raise what came of this one when there is no use in that."""
        if isinstance(error, LinkExpiredError):
            self.gone = error
        # The host that the gateway named is right about its own links; a mirror may just not have the file yet.
        if self.hopeless or (url == self.named and isinstance(error, LinkExpiredError)):
            raise error
        if worth_another_try(error):
            self.left.rotate(-1)
            return
        self.left.popleft()
        if not self.left:
            raise self.gone or error

    async def _try(self, url: str) -> None:
        begun, validator = self.version, self.version.validator
        # Without a validator the rest could be of another version: two halves that do not belong together.
        offset = self.draft.bytes_written if validator is not None else 0
        fetch = self.host.get(
            url, offset=offset, validator=validator, failures=self.failures[url], on_late=self.on_slow
        )
        async with fetch as reply:
            found, said = reply.version, reply.content_range
            answer = answer_of(reply.http_status, offset=offset, content_range=said, begun=begun, found=found)
            # The break came after the last byte: the host has no rest to send, and what is here is the file.
            if answer is Answer.NOTHING_LEFT:
                return await self._check_whole(reply.url)
            if answer is not Answer.REST:
                self._forget()
                await self.draft.restart()
                self.structure = StructureCheck()
                self.held.begin_anew()
            if answer is not Answer.REST and answer is not Answer.WHOLE:
                self.retry_after_seconds = reply.retry_after_seconds
                raise _refused(answer, reply)
            length = self._expected_length(reply)
            if answer is Answer.WHOLE and reply.validator is not None:
                self.version = found if found.length == length else attrs.evolve(found, length=length)
            await self._receive(reply)
        self._check_length(length, reply.url)
        return await self._check_whole(reply.url)

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
        draft = self.draft
        async for chunk in reply.chunks():
            if self.structure.feed(chunk) is not None:
                self._check_structure(reply.url)
            self.held.take(chunk, self.structure)
            await draft.write(chunk)
            # Counted as well as declared: a host may declare no length, or a false one.
            if draft.bytes_written > self.max_bytes:
                raise self._too_long(reply)

    async def _check_whole(self, url: str) -> None:
        self.structure.finish()
        self._check_structure(url)
        try:
            await self.held.check(self.structure, url=url)
        except ContentMismatchError:
            self._forget()
            raise

    def _check_structure(self, url: str) -> None:
        """Refuse what cannot be a whole file, even if every byte came that was declared; its bytes are of no use."""
        if self.structure.flaw is not None:
            self._forget()
        refuse_flaws(self.structure, url=url)

    def _check_length(self, length: int | None, url: str) -> None:
        received = self.draft.bytes_written
        if length is not None and received != length:
            # More than was declared is no break that a rest could mend.
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
