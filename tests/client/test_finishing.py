"""Files that came whole: their pixels decoded, their provenance written into them."""

import base64
import io
import random
import struct
import sys
import zlib
from hashlib import sha256
from random import Random

import pytest
from PIL import Image

from toapis_async import AsyncToAPIs
from toapis_async.client.downloading import Downloader
from toapis_async.client.finishing import Finish
from toapis_async.client.saving import FileTarget
from toapis_async.errors import ConfigurationError, ContentMismatchError
from toapis_async.policy.files.embedding import Provenance
from toapis_async.storage.files.atomic_files import OutputDirectory
from toapis_async.testing import FakeClock
from toapis_async.testing.gateway.small_files import small_mp4
from toapis_async.transport.files import FileHost
from toapis_async.values.tasks import GenerationTask, TaskFile, TaskStatus

MP4 = small_mp4("film", 1, 500)
FOX = Provenance(prompt="a fox", model="m", seed=7)


def png(lost):
    """A PNG whose every checksum is right, and whose compressed pixels lack something."""
    noise = random.Random(1)
    pixels = zlib.compress(b"".join(b"\0" + noise.randbytes(180) for _ in range(40)), 1)
    pixels = pixels[: len(pixels) - lost]
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 60, 40, 8, 2, 0, 0, 0)), (b"IDAT", pixels), (b"IEND", b"")]
    packed = (
        struct.pack(">I", len(text)) + kind + text + struct.pack(">I", zlib.crc32(kind + text)) for kind, text in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


WHOLE, LOSSY = png(0), png(3000)


@pytest.fixture
async def save(file_host, file_answer, tmp_path):
    """``await save(answers, finish)``: what became of a task whose host answers so."""

    async def run(bodies, finish, url=None):
        file_host.script = [file_answer(body=body) for body in bodies]
        links = (TaskFile(url=url or file_host.url()),)
        task = GenerationTask(id="tsk_1", kind="image", status=TaskStatus.COMPLETED, files=links)

        async def fresh():
            return task

        async with FileHost(base_url=file_host.base_url, user_agent="test") as host, OutputDirectory(tmp_path) as sink:
            downloader = Downloader(host=host, clock=FakeClock(), random=Random(1))
            (file,) = await downloader.save(task, FileTarget(sink=sink, stem="fox", finish=finish), fresh=fresh)
            return file

    return run


async def test_pixels_that_cannot_be_decoded_are_refused(save, tmp_path):
    """The structure of the file is whole: only decoding finds it, and nothing is left of it."""
    with pytest.raises(ContentMismatchError, match="cannot be decoded"):
        await save([LOSSY], Finish(verify="decode"))

    assert [path.name for path in tmp_path.iterdir()] == []
    assert (await save([LOSSY], Finish())).bytes == len(LOSSY)


async def test_a_later_transfer_may_be_better(save):
    """A file that cannot be decoded is fetched again, from its beginning."""
    file = await save([LOSSY, WHOLE], Finish(verify="decode"))

    assert file.path.read_bytes() == WHOLE


@pytest.mark.parametrize("body", [WHOLE, MP4, b'<svg xmlns="http://www.w3.org/2000/svg"/>'])
async def test_whole_files_pass(save, body):
    """Films and vectors are not decoded, and are as they came under every finish."""
    file = await save([body], Finish(verify="decode"))

    assert file.path.read_bytes() == body


@pytest.mark.parametrize("body", [MP4, b'<svg xmlns="http://www.w3.org/2000/svg"/>'])
async def test_what_can_have_no_metadata_stays_as_it_came(save, body):
    """Only PNG and JPEG are written into."""
    assert (await save([body], Finish(provenance=FOX))).path.read_bytes() == body


async def test_inline_results_are_decoded_and_written_into(save):
    """A file that came inside the reply is treated alike."""
    lossy, whole = ("data:image/png;base64," + base64.b64encode(data).decode() for data in (LOSSY, WHOLE))
    with pytest.raises(ContentMismatchError, match="cannot be decoded"):
        await save([], Finish(verify="decode"), lossy)

    file = await save([], Finish(provenance=FOX), whole)
    assert Image.open(file.path).text == FOX.facts


async def test_the_checksum_is_that_of_the_file_with_its_metadata(save):
    """Length and sha256 are of what lies on the disk, whatever came before it."""
    file = await save([LOSSY, WHOLE], Finish(verify="decode", provenance=FOX))
    data = file.path.read_bytes()

    assert Image.open(io.BytesIO(data)).text == FOX.facts
    assert (file.bytes, file.sha256, file.width, file.height) == (len(data), sha256(data).hexdigest(), 60, 40)


async def test_without_pillow_decoding_is_refused_at_once(monkeypatch, live, tmp_path):
    """Client, session, download and read say what to install before anything is sent."""
    async with live() as (_, client):
        task = await client.images.generate(prompt="a fox")
        monkeypatch.setitem(sys.modules, "PIL", None)
        calls = (
            lambda: AsyncToAPIs(api_key="sk-x", verify="decode"),
            lambda: client.session(tmp_path, verify="decode"),
        )
        for call in calls:
            with pytest.raises(ConfigurationError, match="Pillow") as caught:
                call()
            assert "toapis-async[verify]" in caught.value.hint
        for call in (
            client.images.download(task, tmp_path, verify="decode"),
            client.images.read(task, verify="decode"),
        ):
            with pytest.raises(ConfigurationError, match="Pillow"):
                await call


def test_another_word_is_refused():
    """There are two."""
    with pytest.raises(ConfigurationError, match="'structure' or 'decode'"):
        AsyncToAPIs(api_key="sk-x", verify="pixels")
