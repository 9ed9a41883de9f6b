"""File hosts that drip for ever, beside one that serves: whatever is good is saved."""

import asyncio
import gzip
import random
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import cycle

from toapis_async.client.download_workers import DownloadWorkers
from toapis_async.client.downloading import Downloader
from toapis_async.client.saving import FileTarget
from toapis_async.clock import SystemClock
from toapis_async.errors import DownloadError
from toapis_async.policy.files.progress import ProgressRule
from toapis_async.storage.files.atomic_files import OutputDirectory
from toapis_async.testing.gateway.pictures import Picture
from toapis_async.testing.gateway.small_files import small_png
from toapis_async.transport.files import FileHost
from toapis_async.values.files import SavedFile
from toapis_async.values.tasks import GenerationTask, TaskFile, TaskStatus

PNG = small_png(Picture(prompt="fox", width=64, height=64, format="png", seed=1, label="a"), 500)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n"
# A stored block of deflate that holds nothing, aligned: it can be repeated for ever.
EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"
# A gzip header (RFC 1952), then empty blocks.
GZIP_START = gzip.compress(b"")[:10]
# The first 20 bytes in a stored block (RFC 1951), which is not the last.
DEFLATED_START = b"\x78\x01\x00\x14\x00\xeb\xff" + PNG[:20]
RULE = ProgressRule(
    first_byte_seconds=1.5, longest_first_byte_seconds=1.5, behind_seconds=1.5, bytes_per_second=1e6, late_seconds=0.1
)

KINDS = {
    "silence": (b"", ()),
    "interim replies": (b"", (b"HTTP/1.1 100 Continue\r\n\r\n",)),
    "early hints": (b"", (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",)),
    "status line": (b"HTTP/1.1 200 ", (b"O",)),
    "header": (b"HTTP/1.1 200 OK\r\nX-Long: ", (b"a",)),
    "headers": (HEAD, (b"X: y\r\n",)),
    "chunk extension": (CHUNKED + b"\r\n5;", (b"e",)),
    "tiny chunks": (CHUNKED + b"\r\n", (b"1\r\n\x89\r\n", b"1\r\nP\r\n", b"1\r\nN\r\n", b"1\r\nG\r\n")),
    "trailers": (CHUNKED + b"\r\n%x\r\n%s\r\n0\r\n" % (len(PNG), PNG), (b"X: y\r\n",)),
    "empty blocks": (HEAD + b"Content-Encoding: gzip\r\nContent-Length: 9999999\r\n\r\n" + GZIP_START, (EMPTY_BLOCK,)),
    "empty blocks after a start": (
        HEAD + b"Content-Encoding: deflate\r\nContent-Length: 9999999\r\n\r\n" + DEFLATED_START,
        (EMPTY_BLOCK,),
    ),
    "body, byte by byte": (HEAD + b"Content-Length: 9999\r\n\r\n" + PNG[:33], (b"\0",)),
    "body after silence": (HEAD + b"Content-Length: 9999\r\n\r\n", ()),
    "redirect, byte by byte": (b"HTTP/1.1 302 Found\r\nLocation: /", (b"a",)),
    "refusal, byte by byte": (b"HTTP/1.1 503 Busy\r\nContent-Length: 9999\r\n", (b"X: y\r\n",)),
    "keep-alive comments": (CHUNKED + b"\r\n", (b"0",)),
}


@asynccontextmanager
async def dripping(start, drops, host="127.0.0.1"):
    """Serve one answer that never ends."""
    tasks = set()

    async def serve(reader, writer):
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(start)
            for drop in cycle(drops) if drops else ():
                writer.write(drop)
                await writer.drain()
                await asyncio.sleep(0.02)
            await reader.read()

    def accept(reader, writer):
        task = asyncio.ensure_future(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(lambda done: (tasks.discard(done), writer.transport.abort()))

    server = await asyncio.start_server(accept, host, 0)
    try:
        yield f"http://{host}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


class Patient:
    """The machine's clock, but for pauses between tries, which are short."""

    monotonic = staticmethod(SystemClock().monotonic)
    now = staticmethod(SystemClock().now)

    async def sleep(self, seconds):
        await asyncio.sleep(min(seconds, 0.01))


async def given_up(start, drops):
    """Return what came of a transfer."""
    async with dripping(start, drops) as url, FileHost(base_url=url, user_agent="t", progress=RULE) as host:
        try:
            async with host.get(f"{url}/a.png") as reply:
                return [chunk async for chunk in reply.chunks()]
        except DownloadError as error:
            return error


async def test_no_drip_holds_a_transfer():
    """Each ends with an error that says what was missing."""
    ended = dict(zip(KINDS, await asyncio.gather(*(given_up(*kind) for kind in KINDS.values())), strict=True))
    # No number of zeros is a chunk's length for long.
    assert isinstance(ended.pop("keep-alive comments"), DownloadError)

    assert {kind: "for 1.5 s" in str(error) for kind, error in ended.items()} == dict.fromkeys(ended, True)


async def test_sixteen_that_drip_beside_a_hundred_that_are_good(file_host, file_answer, tmp_path):
    """All good ones are saved while every dripping one still holds its connection."""
    file_host.script = [file_answer(body=PNG)]
    patient = ProgressRule(
        first_byte_seconds=600.0, longest_first_byte_seconds=600.0, behind_seconds=600.0, late_seconds=0.1
    )

    async def saved(url, name):
        task = GenerationTask(id=name, kind="image", status=TaskStatus.COMPLETED, files=(TaskFile(url=url),))
        return await downloader.save(task, FileTarget(sink=directory, stem=name), fresh=_never)

    async with AsyncExitStack() as stack:
        hostile = [await stack.enter_async_context(dripping(*kind)) for kind in KINDS.values()]
        host = await stack.enter_async_context(FileHost(base_url=file_host.base_url, user_agent="t", progress=patient))
        directory = await stack.enter_async_context(OutputDirectory(tmp_path))
        downloader = Downloader(host=host, clock=Patient(), random=random.Random(1), workers=DownloadWorkers(16))
        bad = [asyncio.ensure_future(saved(f"{url}/x.png", f"bad{n}")) for n, url in enumerate(hostile)]
        good = [saved(file_host.url(f"/{n}"), f"good{n}") for n in range(100)]
        results = await asyncio.gather(*good)
        still = sum(not one.done() for one in bad)
        for one in bad:
            one.cancel()
        await asyncio.gather(*bad, return_exceptions=True)

    assert Counter(type(file) for files in results for file in files) == {SavedFile: 100}
    assert still >= 14


async def _never():
    raise AssertionError("no fresh look was due")
