"""``client.videos``."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import ClassVar, Literal, TypedDict, Unpack

import attrs

from toapis_async.client.checking import check, judge
from toapis_async.client.generations import Generations
from toapis_async.errors import InvalidRequestError
from toapis_async.policy.requests.validation import wrong_action
from toapis_async.values.exchange import HttpRequest
from toapis_async.values.requests import Reference, RoleReference, VideoRequest
from toapis_async.values.tasks import GenerationTask, Kind
from toapis_async.wire.encoding import extend, remix


class VideoFields(TypedDict, total=False):
    """The fields of a ``VideoRequest`` as keyword arguments."""

    prompt: str
    model: str
    size: str | None
    resolution: str | None
    duration: float | None
    reference_images: Sequence[Reference | RoleReference]
    reference_videos: Sequence[Reference | RoleReference]
    reference_audios: Sequence[Reference | RoleReference]
    first_frame: Reference | None
    last_frame: Reference | None
    audio: bool | None
    keep_original_sound: bool | None
    seed: int | None
    client_business_id: str | None
    callback_url: str | None
    extra: Mapping[str, object]
    priority: int | None


class Videos(Generations[VideoRequest]):
    """``client.videos``: video tasks, one call each."""

    kind: ClassVar[Kind] = "video"

    async def generate(
        self,
        request: VideoRequest | None = None,
        /,
        *,
        timeout_seconds: float | None = None,
        **fields: Unpack[VideoFields],
    ) -> GenerationTask:
        """Submit a request, wait for it, and return the completed task with its links.

        Args:
            request: what to make; or give its fields as keyword arguments, ``prompt=`` and ``model=`` at the least.
            timeout_seconds: for all of it: uploads, the line, the POST and the wait. None for one hour once it is
                accepted.
            **fields: as in ``VideoRequest``.

        Raises:
            ToAPIsError: as ``client.images.generate()``.

        """
        return await self._generate(video_request(request, fields), timeout_seconds)

    async def remix(
        self, video: GenerationTask | str, request: VideoRequest | None = None, /, **fields: Unpack[VideoFields]
    ) -> GenerationTask:
        """Submit a remix of a finished video and return the accepted task, without waiting for it.

        Args:
            video: the finished task, or its id.
            request: what to change; or its fields as keyword arguments.
            **fields: as in ``VideoRequest``.

        Raises:
            ToAPIsError: as ``submit()``.

        """
        return await self._follow_up(remix, "remix", video, video_request(request, fields))

    async def extend(
        self, video: GenerationTask | str, request: VideoRequest | None = None, /, **fields: Unpack[VideoFields]
    ) -> GenerationTask:
        """Submit a continuation of a finished video and return the accepted task, without waiting.

        Args:
            video: the finished task, or its id.
            request: what happens next; or its fields as keyword arguments.
            **fields: as in ``VideoRequest``.

        Raises:
            ToAPIsError: as ``submit()``.

        """
        return await self._follow_up(extend, "extend", video, video_request(request, fields))

    async def _follow_up(
        self,
        encode: Callable[..., HttpRequest],
        action: Literal["remix", "extend"],
        video: GenerationTask | str,
        request: VideoRequest,
    ) -> GenerationTask:
        with self._gateway.events.call("submit", request=request):
            check(request, self._gateway)
            wrong = wrong_action(action, request, self._gateway.catalogue)
            judge(wrong, self._gateway)
            video_id = video if isinstance(video, str) else video.id
            return await self._submit(self._call(request), partial(encode, video_id))


def video_request(request: VideoRequest | None, fields: VideoFields) -> VideoRequest:
    """Make one request of a request and loose fields.

    Raises:
        InvalidRequestError: there is neither a request nor a prompt and a model.

    """
    if request is not None:
        return attrs.evolve(request, **fields) if fields else request
    missing = tuple(f"{name} is missing" for name in ("prompt", "model") if name not in fields)
    if missing:
        raise InvalidRequestError.refused(missing)
    return VideoRequest(**fields)
