"""Reference files: uploaded once per client, used in as many requests as wanted."""

import asyncio
import hashlib
import os
from collections import OrderedDict
from collections.abc import Iterator
from copy import copy
from typing import Self, TypeVar

import attrs

from toapis_async.client.gateway import Gateway
from toapis_async.errors import InvalidRequestError
from toapis_async.policy.files.signatures import sniff
from toapis_async.policy.requests.references import check_reference_bytes, check_video_bytes, is_address
from toapis_async.storage.inputs.reference_files import Fingerprint, fingerprint_of, read_reference
from toapis_async.values.kinds import UPLOADED_AS
from toapis_async.values.requests import GenerationRequest, Reference, RoleReference
from toapis_async.values.tasks import Kind
from toapis_async.values.uploads import Upload
from toapis_async.wire.decoding import upload_from
from toapis_async.wire.encoding import upload

# No lifetime of uploads is documented; result files live a day, so a little less.
FRESH_SECONDS = 20 * 3600.0
REMEMBERED = 4096

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Uploads:
    """``client.uploads``: files for use as references, uploaded once per client."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._known: OrderedDict[str, tuple[Upload, float]] = OrderedDict()
        self._digests: OrderedDict[Fingerprint, str] = OrderedDict()
        self._locks: dict[str, asyncio.Lock] = {}

    def view(self, gateway: Gateway) -> Self:
        """Return the same, with what is known of uploads, over another view of the gateway."""
        view = copy(self)
        view.__dict__["_gateway"] = gateway
        return view

    async def image(self, source: Reference) -> Upload:
        """Upload a picture (JPEG, PNG, WebP or GIF, at most 10 MB) unless this client has done so already.

        Args:
            source: a path, or the bytes.

        Raises:
            InvalidRequestError: the file is missing, too large or no picture.
            ToAPIsError: the gateway could not take it.

        """
        return await self._upload(source, "image")

    async def video(self, source: Reference) -> Upload:
        """Upload a clip (MP4, WebM or MOV, at most 50 MB) unless this client has done so already.

        Args:
            source: a path, or the bytes.

        Raises:
            InvalidRequestError: the file is missing, too large or no clip.
            ToAPIsError: the gateway could not take it.

        """
        return await self._upload(source, "video")

    def lost(self, error: InvalidRequestError, request: GenerationRequest, ready: GenerationRequest) -> bool:
        """Whether a refusal means that the gateway has lost an upload; if so, it is uploaded again next time.

        Args:
            error: the gateway's refusal.
            request: as the user gave it.
            ready: as it was sent, with addresses in place of files.

        """
        ours = set(_sources(ready)) - set(_sources(request))
        text = error.message.casefold()
        if error.http_status != 400 or not any(str(url).casefold() in text for url in ours):
            return False
        for url in ours:
            self.forget(str(url))
        return True

    def forget(self, url: str) -> None:
        """Upload again next time, because the gateway does not have it any more."""
        for digest, (known, _) in list(self._known.items()):
            if known.url == url:
                del self._known[digest]

    async def resolve(self, request: GenerationRequest) -> GenerationRequest:
        """Return the request with every local reference uploaded and replaced by its address.

        Raises:
            ToAPIsError: see ``image()``.

        """
        ready: dict[str, object] = {}
        for field, kind in UPLOADED_AS.items():
            given = getattr(request, field, None)
            if isinstance(given, tuple):
                ready[field] = tuple([await self._with_address(reference, kind) for reference in given])
            elif given is not None:
                ready[field] = await self._with_address(given, kind)
        return attrs.evolve(request, **ready) if any(ready.values()) else request  # type: ignore[arg-type]

    async def _with_address(self, reference: Reference | RoleReference, kind: Kind) -> str | RoleReference:
        if isinstance(reference, RoleReference):
            return attrs.evolve(reference, source=await self._address(reference.source, kind))
        return await self._address(reference, kind)

    async def _address(self, reference: Reference, kind: Kind) -> str:
        if is_address(reference):
            return str(reference)
        return (await self._upload(reference, kind)).url

    async def _upload(self, source: Reference, kind: Kind) -> Upload:
        if isinstance(source, bytes | bytearray | memoryview):
            data = bytes(source)
            return await self._upload_bytes(data, "reference", kind, hashlib.sha256(data).hexdigest())
        if not isinstance(source, str | os.PathLike):
            raise InvalidRequestError.refused(
                (f"a reference must be an address, a path or bytes, not {type(source).__name__}",)
            )
        # By size and times, not by reading: the same reference is used by thousands of requests.
        fingerprint = await fingerprint_of(source)
        digest = self._digests.get(fingerprint)
        if digest is not None and (known := self._fresh(digest)):
            return known
        data, name = await read_reference(source)
        digest = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
        _remember(self._digests, fingerprint, digest)
        return await self._upload_bytes(data, name, kind, digest)

    async def _upload_bytes(self, data: bytes, name: str, kind: Kind, digest: str) -> Upload:
        wrong = (check_reference_bytes if kind == "image" else check_video_bytes)(data, name)
        if wrong:
            raise InvalidRequestError.refused((wrong,))
        # Whoever comes second with the same bytes waits for the first, and tries himself if that one fails.
        lock = self._locks.setdefault(digest, asyncio.Lock())
        async with lock:
            try:
                if known := self._fresh(digest):
                    return known
                signature = sniff(data[:4096])
                mime_type = signature.mime if signature else "application/octet-stream"
                request = upload(data, filename=name, mime_type=mime_type, kind=kind)
                result = await self._gateway.ask(request, upload_from, asked_for=f"the upload of {name!r}")
                _remember(self._known, digest, (result, self._gateway.clock.monotonic()))
                return result
            finally:
                self._locks.pop(digest, None)

    def _fresh(self, digest: str) -> Upload | None:
        known = self._known.get(digest)
        if known is None or self._gateway.clock.monotonic() - known[1] > FRESH_SECONDS:
            return None
        return known[0]


def _sources(request: GenerationRequest) -> Iterator[Reference]:
    """Walk every reference of a request that can be a file of the user's."""
    for field in UPLOADED_AS:
        given = getattr(request, field, None)
        for reference in given if isinstance(given, tuple) else () if given is None else (given,):
            yield reference.source if isinstance(reference, RoleReference) else reference


def _remember(memory: "OrderedDict[_Key, _Value]", key: _Key, value: _Value) -> None:
    memory[key] = value
    while len(memory) > REMEMBERED:
        memory.popitem(last=False)
