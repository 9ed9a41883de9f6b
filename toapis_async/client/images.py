"""``client.images``."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, TypedDict, Unpack

import attrs

from toapis_async.client.generations import Generations
from toapis_async.errors import InvalidRequestError
from toapis_async.values.requests import ImageRequest, Reference
from toapis_async.values.tasks import GenerationTask, Kind


class ImageFields(TypedDict, total=False):
    """The fields of an ``ImageRequest`` as keyword arguments."""

    prompt: str
    model: str
    size: str | None
    resolution: str | None
    reference_images: Sequence[Reference]
    n: int
    mask: Reference | None
    quality: str | None
    background: str | None
    output_format: str | None
    output_compression: int | None
    temperature: float | None
    top_p: float | None
    seed: int | None
    client_business_id: str | None
    callback_url: str | None
    extra: Mapping[str, object]
    priority: int | None


class Images(Generations[ImageRequest]):
    """``client.images``: image tasks, one call each."""

    kind: ClassVar[Kind] = "image"

    async def generate(
        self,
        request: ImageRequest | None = None,
        /,
        *,
        timeout_seconds: float | None = None,
        **fields: Unpack[ImageFields],
    ) -> GenerationTask:
        """Submit a request, wait for it, and return the completed task with its links.

        Args:
            request: what to make; or give its fields as keyword arguments, ``prompt=`` at the least.
            timeout_seconds: for all of it: uploads, the line, the POST and the wait. None for 15 minutes once it is
                accepted.
            **fields: as in ``ImageRequest``.

        Raises:
            InvalidRequestError: it is wrong; nothing was sent, or the gateway refused it.
            SubmissionUnknownError: whether a task exists could not be found out.
            TaskFailedError: the gateway gave it up.
            TaskTimeoutError: we stopped waiting; it carries the task, which may still finish, or None where there was
                none yet: a POST that is under way then goes on and ends with ``on_abandoned``.
            ToAPIsError: refused, or the gateway could not be reached.

        """
        return await self._generate(image_request(request, fields), timeout_seconds)

    async def edit(
        self,
        request: ImageRequest | None = None,
        /,
        *,
        timeout_seconds: float | None = None,
        **fields: Unpack[ImageFields],
    ) -> GenerationTask:
        """Change a picture: the first reference is what is changed, ``mask`` says where.

        The same as ``generate()`` for a request that has a reference; models with an edits endpoint are sent there.

        Raises:
            InvalidRequestError: there is no reference to edit, or as in ``generate()``.
            ToAPIsError: as in ``generate()``.

        """
        wish = image_request(request, fields)
        if not wish.reference_images:
            raise InvalidRequestError.refused(("reference_images is empty, and an edit needs a picture to change",))
        return await self._generate(attrs.evolve(wish, edit=True), timeout_seconds)


def image_request(request: ImageRequest | None, fields: ImageFields) -> ImageRequest:
    """Make one request of a request and loose fields.

    Raises:
        InvalidRequestError: there is neither a request nor a prompt.

    """
    if request is not None:
        return attrs.evolve(request, **fields) if fields else request
    if "prompt" not in fields:
        raise InvalidRequestError.refused(("prompt is missing",))
    return ImageRequest(**fields)
