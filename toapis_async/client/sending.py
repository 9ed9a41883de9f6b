"""From a request with local files to an accepted task."""

from typing import Protocol

from toapis_async.client.submitting import Attempts, Submitter
from toapis_async.client.uploads import Uploads
from toapis_async.errors import InvalidRequestError
from toapis_async.values.catalogue import Catalogue
from toapis_async.values.exchange import HttpRequest
from toapis_async.values.requests import GenerationRequest
from toapis_async.values.tasks import GenerationTask, Kind


class Encoding(Protocol):
    """Makes the POST for a request whose references are addresses by now; see ``wire.encoding``."""

    def __call__(self, request: GenerationRequest, /, *, catalogue: Catalogue, client_business_id: str) -> HttpRequest:
        """Encode it under that reference."""
        ...


async def submit_with_uploads(
    submitter: Submitter,
    uploads: Uploads,
    request: GenerationRequest,
    encoding: Encoding,
    *,
    kind: Kind,
    attempts: Attempts,
) -> GenerationTask:
    """Upload local references, submit, and do both once more where the gateway has lost an upload.

    Args:
        submitter, uploads: of the client or the session.
        request: as the user gave it.
        encoding: makes the POST.
        kind: of task.
        attempts: where each attempt is written down.

    Raises:
        ToAPIsError: as ``Submitter.submit()`` and ``Uploads.resolve()``.

    """
    reference = request.client_business_id
    # Before anything is uploaded: a task that is there needs no references.
    earlier = await submitter.resume(reference, kind, attempts)
    if earlier is not None:
        return earlier
    try:
        return await _uploaded_and_submitted(submitter, uploads, request, encoding, kind, attempts)
    finally:
        submitter.ended(reference)


async def _uploaded_and_submitted(
    submitter: Submitter,
    uploads: Uploads,
    request: GenerationRequest,
    encoding: Encoding,
    kind: Kind,
    attempts: Attempts,
) -> GenerationTask:
    ready = await uploads.resolve(request)
    try:
        return await _submit(submitter, ready, encoding, kind, attempts)
    except InvalidRequestError as error:
        if not uploads.lost(error, request, ready):
            raise
    return await _submit(submitter, await uploads.resolve(request), encoding, kind, attempts)


async def _submit(
    submitter: Submitter, ready: GenerationRequest, encoding: Encoding, kind: Kind, attempts: Attempts
) -> GenerationTask:
    catalogue = submitter.gateway.catalogue

    def encode(client_business_id: str) -> HttpRequest:
        return encoding(ready, catalogue=catalogue, client_business_id=client_business_id)

    return await submitter.submit(encode, kind, attempts)
