"""From bytes to a verified file under a name of its own, in whatever sink."""

import logging
from collections.abc import Collection
from itertools import islice

import attrs

from toapis_async.errors import ContentMismatchError, StorageError
from toapis_async.policy.files.naming import file_names
from toapis_async.policy.files.signatures import Signature, looks_like_markup, size_px, sniff
from toapis_async.ports.sink import Draft, Sink
from toapis_async.values.files import SavedFile

logger = logging.getLogger("toapis_async")

FETCH_AGAIN = "The task is paid for: fetch the file again, do not submit again."

_NAMES_TRIED = 1000


@attrs.frozen(kw_only=True)
class FileTarget:
    """Where a file belongs.

    Attributes:
        sink: open, and outliving the transfer.
        stem: of the item, by ``policy.files.naming.file_stem``.
        index, count: which of the item's files, from 0, and how many there are.
        part: what the file is beside the result proper, such as ``last-frame``; empty for the result.
        ours: names that an earlier run gave to files of this very item, which may be replaced; no other file is.

    """

    sink: Sink
    stem: str
    index: int = 0
    count: int = 1
    part: str = ""
    ours: Collection[str] = ()


async def save_bytes(data: bytes, target: FileTarget) -> SavedFile:
    """Verify and save a file that is here already.

    Raises:
        ContentMismatchError: it is no image or video.
        StorageError: it could not be kept.

    """
    draft = target.sink.draft(target.stem)
    try:
        await draft.write(data)
        return await publish(draft, target)
    finally:
        await draft.discard()


async def publish(draft: Draft, target: FileTarget) -> SavedFile:
    """Give a draft that is whole its name: the first one that no other file has.

    Raises:
        ContentMismatchError: it is no image or video.
        StorageError: it could not be kept.

    """
    head = draft.head
    signature = signature_of(head, url="")
    width, height = size_px(head) or (None, None)
    names = file_names(target.stem, target.index, target.count, signature.extension, part=target.part)
    wanted = ""
    for name in islice(names, _NAMES_TRIED):
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


def signature_of(head: bytes, *, url: str) -> Signature:
    """Return the format that these first bytes announce.

    Raises:
        ContentMismatchError: they announce no image or video.

    """
    signature = sniff(head)
    if signature is not None:
        return signature
    what = "an empty body" if not head else "a page or message" if looks_like_markup(head) else "unknown bytes"
    raise ContentMismatchError(f"The file host sent {what} in place of a file.", url=url, hint=FETCH_AGAIN)
