"""What is done to a file that came whole, before it gets its name: decoding its pixels, writing into it."""

import logging
from functools import partial

import anyio
import attrs

from toapis_async.errors import ConfigurationError, ContentMismatchError
from toapis_async.policy.files.embedding import Provenance, with_provenance
from toapis_async.policy.files.structure import StructureCheck
from toapis_async.ports.sink import Draft
from toapis_async.storage.files.decoding import require_decoder, why_undecodable
from toapis_async.values.files import Verify

logger: logging.Logger = logging.getLogger("toapis_async")

# No picture of any model is nearly as long; what is longer must not fill the memory.
_LONGEST_PICTURE_BYTES = 256 * 1024**2
_SEE_FOR_YOURSELF = (
    "The task is paid for: fetch the file again, or take it as it is with verify='structure'; its address is in "
    "task.urls."
)


def checked_verify(verify: Verify) -> Verify:
    """Return it.

    Raises:
        ConfigurationError: it is another word, or what decodes is not installed.

    """
    if verify not in {"structure", "decode"}:
        raise ConfigurationError(f"verify must be 'structure' or 'decode', not {verify!r}.")
    if verify == "decode":
        require_decoder()
    return verify


@attrs.frozen(kw_only=True)
class Finish:
    """What is to be done to a picture; films and vectors stay as they are.

    Attributes:
        verify: whether its pixels are decoded.
        provenance: what is written into it; None for nothing.

    """

    verify: Verify = "structure"
    provenance: Provenance | None = None

    @property
    def needs_content(self) -> bool:
        """Whether a picture has to be at hand as a whole."""
        return self.verify == "decode" or self.provenance is not None


@attrs.define(kw_only=True, eq=False)
class HeldPicture:
    """A picture's bytes, kept while they go by; of anything else, and of what is far too long, nothing is kept."""

    finish: Finish
    _content: bytearray | None = attrs.field(factory=bytearray)

    def begin_anew(self) -> None:
        """Forget what came."""
        self._content = bytearray()

    def take(self, chunk: bytes, structure: StructureCheck) -> None:
        """Take the next bytes, which *structure* has seen."""
        if self._content is None or not self.finish.needs_content:
            return
        signature = structure.signature
        foreign = signature is not None and not signature.mime.startswith("image/")
        if foreign or len(self._content) + len(chunk) > _LONGEST_PICTURE_BYTES:
            self._content = None
        else:
            self._content += chunk

    async def check(self, structure: StructureCheck, *, url: str) -> None:
        """Decode the pixels, where that is wanted.

        Raises:
            ContentMismatchError: they cannot be decoded.

        """
        signature = structure.signature
        if self.finish.verify != "decode" or not self._content or signature is None:
            return
        why = await anyio.to_thread.run_sync(partial(why_undecodable, bytes(self._content), mime=signature.mime))
        if why is not None:
            raise ContentMismatchError(f"The file {why}.", url=url, hint=_SEE_FOR_YOURSELF)

    async def embed(self, draft: Draft, structure: StructureCheck) -> None:
        """Write the provenance into the draft, where that is wanted and the format can have it.

        Raises:
            StorageError: the draft could not be kept.

        """
        provenance, signature = self.finish.provenance, structure.signature
        if provenance is None or not self._content or signature is None:
            return
        write = partial(with_provenance, bytes(self._content), provenance, mime=signature.mime)
        made = await anyio.to_thread.run_sync(write)
        if made is None:
            logger.info("A file of type %s was left without metadata.", signature.mime)
            return
        # Written whole and anew: the draft has no name yet, so no reader ever sees a half of it.
        await draft.restart()
        await draft.write(made)
