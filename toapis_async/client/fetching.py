"""One file of a finished task, from its address to a verified file on the disk."""

import binascii
import random as random_module
from base64 import b64decode

import attrs

from toapis_async.clock import Clock
from toapis_async.errors import ContentMismatchError, DownloadError, LinkExpiredError, TruncatedError
from toapis_async.policy.files.naming import file_name
from toapis_async.policy.files.structure import Kind, StructureCheck
from toapis_async.policy.files.transfers import Answer, answer_of, delay_seconds, parse_content_range, worth_another_try
from toapis_async.storage.files.atomic_files import OutputDirectory, Partial
from toapis_async.transport.files import FileHost, FileReply
from toapis_async.values.files import SavedFile

MAX_FILE_BYTES = 2 * 1024**3
ATTEMPTS = 5

_PROGRESS_BYTES = 262_144
_SLOWEST_BYTES_PER_SECOND = 1024
_SLOW_AFTER_SECONDS = 60.0

_FETCH_AGAIN = "The task is paid for: fetch the file again, do not submit again."
_LOOK_AGAIN = "Look the task up again for a fresh link; links live for 24 hours."
_SEE_FOR_YOURSELF = "The task is paid for: fetch the file again, or see for yourself; its address is in task.urls."
_RAISE_CAP = "The task is paid for; its address is in task.urls."


@attrs.frozen(kw_only=True)
class FileTarget:
    """Where a file belongs.

    Attributes:
        directory: open, and outliving the transfer.
        stem: of the item, by ``policy.files.naming.file_stem``.
        index, count: which of the item's files, from 0, and how many there are.
        part: what the file is beside the result proper, such as ``last-frame``; empty for the result.

    """

    directory: OutputDirectory
    stem: str
    index: int = 0
    count: int = 1
    part: str = ""


async def fetch_file(
    host: FileHost,
    url: str,
    *,
    stem: str,
    directory: OutputDirectory,
    clock: Clock,
    random: random_module.Random,
    index: int = 0,
    count: int = 1,
    part: str = "",
    max_bytes: int = MAX_FILE_BYTES,
    attempts: int = ATTEMPTS,
) -> SavedFile:
    """Fetch, verify and save a file; ``data:`` addresses need no network.

    A broken transfer continues where it broke when the host can do that, and starts over otherwise. Tries that bring
    the file forward by 256 KiB do not count.

    Args:
        host: open.
        url: as the gateway gave it.
        stem: of the item, by ``policy.files.naming.file_stem``.
        directory: open.
        clock, random: for waiting between tries.
        index, count: which of the item's files, from 0, and how many there are.
        part: what the file is beside the result proper, such as ``last-frame``.
        max_bytes: a longer file is refused.
        attempts: how many tries in all.

    Raises:
        LinkExpiredError: the link has died; at once, so that the task can be looked up for a fresh one.
        ContentMismatchError: no image or video came, or one that is too long.
        TruncatedError: every transfer broke.
        DownloadError: the address is refused, or the host is down.
        StorageError: the disk refused.

    """
    spot = FileTarget(directory=directory, stem=stem, index=index, count=count, part=part)
    if url[:5].lower() == "data:":
        return await _save_data_url(url, spot, max_bytes=max_bytes)
    partial = directory.open_partial(stem)
    try:
        transfer = _Transfer(host=host, url=url, partial=partial, clock=clock, max_bytes=max_bytes)
        await transfer.run(attempts=attempts, random=random)
        return await _publish(partial, transfer.structure, spot)
    finally:
        await partial.discard()


async def save_bytes(
    data: bytes, *, stem: str, directory: OutputDirectory, index: int = 0, count: int = 1, part: str = ""
) -> SavedFile:
    """Verify and save a file that is here already; see ``fetch_file``.

    Raises:
        ContentMismatchError: it is no image or video.
        StorageError: the disk refused.

    """
    return await _save(data, FileTarget(directory=directory, stem=stem, index=index, count=count, part=part))


async def _save(data: bytes, spot: FileTarget) -> SavedFile:
    structure = StructureCheck()
    await spot.directory.hop(lambda: structure.feed(data))
    structure.finish()
    _refuse_flaws(structure, url="")
    partial = spot.directory.open_partial(spot.stem)
    try:
        await partial.write(data)
        return await _publish(partial, structure, spot)
    finally:
        await partial.discard()


async def _save_data_url(url: str, spot: FileTarget, *, max_bytes: int) -> SavedFile:
    kind, _, text = url.partition(",")
    if not kind.lower().endswith(";base64") or len(text) * 3 // 4 > max_bytes:
        raise ContentMismatchError("The data: address is not base64, or too long.", url="data:", hint=_RAISE_CAP)
    try:
        data = await spot.directory.hop(lambda: b64decode(text))
    except binascii.Error as error:
        raise ContentMismatchError(f"The data: address is broken: {error}.", url="data:", hint=_RAISE_CAP) from error
    return await _save(data, spot)


async def _publish(partial: Partial, structure: StructureCheck, spot: FileTarget) -> SavedFile:
    """Save what was found whole."""
    signature = structure.signature
    assert signature is not None  # noqa: S101 - a file without one has a flaw
    width, height = structure.size_px or (None, None)
    name = file_name(spot.stem, spot.index, spot.count, signature.extension, part=spot.part)
    return await partial.publish(name, mime=signature.mime, width=width, height=height)


def _refuse_flaws(structure: StructureCheck, *, url: str) -> None:
    flaw = structure.flaw
    if flaw is not None:
        error = TruncatedError if flaw.kind is Kind.CUT else ContentMismatchError
        hint = _FETCH_AGAIN if flaw.kind is Kind.FOREIGN else _SEE_FOR_YOURSELF
        raise error(f"The file {flaw.what}.", url=url, hint=hint)


@attrs.define(eq=False, kw_only=True)
class _Transfer:
    """The tries for one file. What arrived stays in the partial file from try to try as far as it can be used."""

    host: FileHost
    url: str
    partial: Partial
    clock: Clock
    max_bytes: int
    structure: StructureCheck = attrs.field(factory=StructureCheck)
    validator: str | None = None
    retry_after_seconds: float | None = None
    hopeless: bool = False

    async def run(self, *, attempts: int, random: random_module.Random) -> None:
        failures, furthest = 0, 0
        while True:
            self.retry_after_seconds = None
            try:
                return await self._try()
            except DownloadError as error:
                if self.partial.bytes_written >= furthest + _PROGRESS_BYTES:
                    failures, furthest = 0, self.partial.bytes_written
                failures += 1
                if self.hopeless or failures >= attempts or not worth_another_try(error):
                    raise
            await self.clock.sleep(delay_seconds(failures, retry_after_seconds=self.retry_after_seconds, random=random))

    async def _try(self) -> None:
        offset = self.partial.bytes_written if self.validator is not None else 0
        async with self.host.get(self.url, offset=offset, validator=self.validator) as reply:
            answer = answer_of(reply.http_status, offset=offset, content_range=reply.content_range)
            if answer is not Answer.REST:
                self.validator = None
                await self.partial.restart()
                self.structure = StructureCheck()
            if answer is not Answer.REST and answer is not Answer.WHOLE:
                self.retry_after_seconds = reply.retry_after_seconds
                raise _refused(answer, reply)
            length = self._expected_length(reply)
            self.validator = reply.validator
            await self._receive(reply)
        self._check_length(length, reply.url)
        self.structure.finish()
        self._check_structure(reply.url)

    def _expected_length(self, reply: FileReply) -> int | None:
        _, length = parse_content_range(reply.content_range)
        if length is None and reply.declared_length is not None:
            length = self.partial.bytes_written + reply.declared_length
        if length is not None and length > self.max_bytes:
            raise self._too_long(reply)
        return length

    async def _receive(self, reply: FileReply) -> None:
        partial, clock = self.partial, self.clock
        started, before = clock.monotonic(), partial.bytes_written
        async for chunk in reply.chunks():
            if self.structure.feed(chunk) is not None:
                self._check_structure(reply.url)
            await partial.write(chunk)
            if partial.bytes_written > self.max_bytes:
                raise self._too_long(reply)
            elapsed = clock.monotonic() - started
            if elapsed > _SLOW_AFTER_SECONDS and partial.bytes_written - before < elapsed * _SLOWEST_BYTES_PER_SECOND:
                raise DownloadError("The transfer is too slow to ever end.", url=reply.url, hint=_FETCH_AGAIN)

    def _check_structure(self, url: str) -> None:
        """Refuse what cannot be a whole file, even if every byte came that was declared; its bytes are of no use."""
        if self.structure.flaw is not None:
            self.validator = None
        _refuse_flaws(self.structure, url=url)

    def _check_length(self, length: int | None, url: str) -> None:
        received = self.partial.bytes_written
        if length is not None and received != length:
            if received > length:
                self.validator = None
            raise TruncatedError(f"{received} of {length} bytes came.", url=url, hint=_FETCH_AGAIN)

    def _too_long(self, reply: FileReply) -> ContentMismatchError:
        self.hopeless = True
        return ContentMismatchError(
            f"The file is longer than {self.max_bytes} bytes.",
            url=reply.url,
            http_status=reply.http_status,
            hint=_RAISE_CAP,
        )


def _refused(answer: Answer, reply: FileReply) -> DownloadError:
    status, url = reply.http_status, reply.url
    if answer is Answer.GONE:
        return LinkExpiredError(f"The link has died ({status}).", url=url, http_status=status, hint=_LOOK_AGAIN)
    if answer is Answer.START_OVER:
        return TruncatedError("The transfer cannot be continued.", url=url, http_status=status, hint=_FETCH_AGAIN)
    return DownloadError(f"The file host answered {status}.", url=url, http_status=status, hint=_FETCH_AGAIN)
