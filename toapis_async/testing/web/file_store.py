"""Where the files come from: drawn once, kept while they are in demand."""

import asyncio
from collections import OrderedDict

import attrs

from toapis_async.testing.gateway.replies.result_bodies import small_file
from toapis_async.testing.gateway.tasks import ResultFile, SimulatedTask
from toapis_async.testing.scenario.settings import Scenario

_KEPT = 32
_FULL_BYTES = 200_000


@attrs.define(eq=False)
class FileStore:
    """The contents of result files; the same file always has the same bytes.

    Attributes:
        scenario: says whether they are drawn.

    """

    scenario: Scenario
    _kept: "OrderedDict[str, asyncio.Future[bytes]]" = attrs.field(factory=OrderedDict, init=False)

    async def content(self, task: SimulatedTask, file: ResultFile) -> bytes:
        """The bytes of a file; drawing happens in a thread."""
        picture, small = file.picture, self.scenario.files == "small"
        if small or picture is None or picture.format == "svg":
            return small_file(file, task, self.scenario.small_bytes if small else _FULL_BYTES)
        # Only here is Pillow needed.
        from toapis_async.testing.drawing import draw  # noqa: PLC0415

        kept = self._kept.get(picture.label)
        if kept is None:
            kept = self._kept[picture.label] = asyncio.ensure_future(asyncio.to_thread(draw, picture))
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return await asyncio.shield(kept)

    async def close(self) -> None:
        """Wait for what is being drawn."""
        await asyncio.gather(*self._kept.values(), return_exceptions=True)
        self._kept.clear()
