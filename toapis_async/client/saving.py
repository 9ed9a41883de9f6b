"""From bytes to a verified file under a name of its own, in whatever sink."""

import logging
from base64 import b64decode
from collections.abc import Collection, Iterator
from itertools import islice
from urllib.parse import unquote, unquote_to_bytes

import anyio
import attrs

from toapis_async.client.finishing import Finish, HeldPicture
from toapis_async.errors import ContentMismatchError, StorageError, TruncatedError
from toapis_async.policy.files.naming import file_names
from toapis_async.policy.files.structure import Kind, StructureCheck
from toapis_async.policy.files.templates import FileNaming
from toapis_async.ports.sink import Draft, Sink
from toapis_async.transport.file_reply import FETCH_AGAIN
from toapis_async.values.files import SavedFile

logger: logging.Logger = logging.getLogger("toapis_async")

_SEE_FOR_YOURSELF = "The task is paid for: fetch the file again, or see for yourself; its address is in task.urls."
RAISE_CAP = "The task is paid for; its address is in task.urls."

_NAMES_TRIED = 1000
# The alphabet for addresses and file names (RFC 4648, section 5).
_TO_STANDARD = str.maketrans("-_", "+/")


@attrs.frozen(kw_only=True)
class FileTarget:
    """Where a file belongs.

    Attributes:
        sink: open, and outliving the transfer.
        stem: of the item, by ``policy.files.naming.file_stem``.
        index, count: which of the item's files, from 0, and how many there are.
        part: what the file is beside the result proper, such as ``last-frame``; empty for the result.
        naming: what it is called in place of ``stem``; None for that.
        finish: what is done to it before it gets its name.
        ours: names that an earlier run gave to files of this very item, which may be replaced; no other file is.

    """

    sink: Sink
    stem: str
    index: int = 0
    count: int = 1
    part: str = ""
    naming: FileNaming | None = None
    finish: Finish = attrs.field(factory=Finish)
    ours: Collection[str] = ()

    def of(self, index: int, count: int, part: str = "") -> "FileTarget":
        """Return the target of another of the item's files."""
        if (index, count, part) == (self.index, self.count, self.part):
            return self
        return attrs.evolve(self, index=index, count=count, part=part)

    def names(self, extension: str, width: int | None, height: int | None) -> Iterator[str]:
        """Yield what the file may be called, the best first."""
        naming, count = self.naming, self.count
        if naming is None:
            return file_names(self.stem, self.index, count, extension, part=self.part)
        stem = naming.stem(self.index, width=width, height=height)
        return file_names(stem, self.index, 1 if naming.tells_files_apart else count, extension, part=self.part)


async def save_bytes(data: bytes, target: FileTarget) -> SavedFile:
    """Verify and save a file that is here already.

    Raises:
        ContentMismatchError: it is no image or video, or a broken one.
        TruncatedError: it ends too early.
        StorageError: it could not be kept.

    """
    structure = StructureCheck()
    # Megabytes at once would hold up the event loop.
    await anyio.to_thread.run_sync(structure.feed, data)
    structure.finish()
    refuse_flaws(structure, url="")
    held = HeldPicture(finish=target.finish)
    held.take(data, structure)
    await held.check(structure, url="")
    draft = target.sink.draft(target.stem)
    try:
        await draft.write(data)
        await held.embed(draft, structure)
        return await publish(draft, structure, target)
    finally:
        await draft.discard()


def is_data_address(url: str) -> bool:
    """Tell whether the file is in the address itself (RFC 2397)."""
    return url[:5].lower() == "data:"


async def save_data_address(url: str, target: FileTarget, *, max_bytes: int) -> SavedFile:
    """Verify and save what a ``data:`` address holds.

    Raises:
        ContentMismatchError: it is broken, too long, or no image or video.
        StorageError: it could not be kept.

    """
    kind, comma, text = url[5:].partition(",")
    if not comma or len(text) * 3 // 4 > max_bytes:
        raise ContentMismatchError("The data: address is broken, or too long.", url="data:", hint=RAISE_CAP)
    decode = _from_base64 if kind.lower().rstrip().endswith("base64") else unquote_to_bytes
    try:
        # Megabytes at once would hold up the event loop.
        data = await anyio.to_thread.run_sync(decode, text)
    except ValueError as error:
        raise ContentMismatchError(f"The data: address is broken: {error}.", url="data:", hint=RAISE_CAP) from error
    return await save_bytes(data, target)


def _from_base64(text: str) -> bytes:
    """Decode either alphabet, quoted or not, with or without its padding."""
    plain = "".join(unquote(text).split()).translate(_TO_STANDARD).rstrip("=")
    return b64decode(plain + "=" * (-len(plain) % 4), validate=True)


async def publish(draft: Draft, structure: StructureCheck, target: FileTarget) -> SavedFile:
    """Give a draft that was found whole its name: the first one that no other file has.

    Raises:
        StorageError: it could not be kept.

    """
    signature = structure.signature
    assert signature is not None  # noqa: S101 - a file without one has a flaw
    width, height = structure.size_px or (None, None)
    wanted = ""
    for name in islice(target.names(signature.extension, width, height), _NAMES_TRIED):
        wanted = wanted or name
        replace = name in target.ours
        file = await draft.publish(name, mime=signature.mime, width=width, height=height, replace=replace)
        if file is not None:
            if name != wanted:
                logger.warning("%s was there already and is another file: %s is new.", wanted, name)
            return file
    raise StorageError(
        f"{_NAMES_TRIED} other files have names such as {wanted}.",
        path=f"{target.sink.uri}/{wanted}",
        hint="Move them away, and resume: nothing that was paid for is lost.",
    )


def refuse_flaws(structure: StructureCheck, *, url: str) -> None:
    """Refuse what cannot be a whole file.

    Raises:
        ContentMismatchError: it is no image or video, or a broken one.
        TruncatedError: it ends too early.

    """
    flaw = structure.flaw
    if flaw is not None:
        error = TruncatedError if flaw.kind is Kind.CUT else ContentMismatchError
        hint = FETCH_AGAIN if flaw.kind is Kind.FOREIGN else _SEE_FOR_YOURSELF
        raise error(f"The file {flaw.what}.", url=url, hint=hint)
