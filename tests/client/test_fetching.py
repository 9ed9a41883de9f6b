"""One file, from its address to the disk, whatever the host does on the way."""

import asyncio
import base64
import gzip
import hashlib
import io
import os
import random
import struct
import zlib
from urllib.parse import quote

import pytest
from PIL import Image

from toapis_async.client.fetching import fetch_file
from toapis_async.client.saving import FileTarget
from toapis_async.errors import (
    ContentMismatchError,
    DownloadError,
    LinkExpiredError,
    StorageError,
    TruncatedError,
)
from toapis_async.policy.files.progress import ProgressRule
from toapis_async.ports.events import TransferBegun, TransferDone, TransferRetried
from toapis_async.storage.files.atomic_files import OutputDirectory
from toapis_async.testing.gateway.small_files import small_mp4
from toapis_async.transport.files import FileHost

MIB = 1_048_576


def drawn(kind="PNG", size=(200, 150), **options):
    stream = io.BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(stream, kind, **options)
    return stream.getvalue()


IMAGE = drawn()
FILM = small_mp4("film", 1, 603_048)
PHOTO = drawn("JPEG", exif=b"Exif\x00\x00" + drawn("JPEG", (40, 30)))
VECTOR = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0"/></svg>'
PAGE = b"<!DOCTYPE html><html><title>Link expired</title></html>"


def grown(count):
    """The image with a private chunk of random bytes before its end."""
    chunk = b"paDd" + os.urandom(count)
    return IMAGE[:-12] + struct.pack(">I", count) + chunk + struct.pack(">I", zlib.crc32(chunk)) + IMAGE[-12:]


def named(case):
    """Name a case by its facts, without the bytes."""
    if not isinstance(case, dict):
        return getattr(case, "__name__", str(case))
    return ",".join(f"{name}={len(fact) if isinstance(fact, bytes) else fact}" for name, fact in case.items())


HASTY = ProgressRule(first_byte_seconds=1.0, longest_first_byte_seconds=1.0, behind_seconds=0.5)


class Waits:
    """A clock whose sleeps take no time and are written down."""

    def __init__(self, step=0.0):
        self.slept, self.time, self.step = [], 0.0, step

    def monotonic(self):
        self.time += self.step
        return self.time

    def now(self):
        return 1.8e9 + self.time

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


class Fetch:
    """Fetches from the scripted host into a directory."""

    def __init__(self, scripted, path):
        self.scripted, self.path, self.clock = scripted, path, Waits()

    async def __call__(self, url=None, *, target=None, **options):
        host = FileHost(base_url=self.scripted.base_url, user_agent="tests/1", progress=HASTY)
        async with host, OutputDirectory(self.path) as directory:
            target = FileTarget(**{"sink": directory, "stem": "cat", **(target or {})})
            options = {"clock": self.clock, "random": random.Random(1), **options}
            return await fetch_file(host, url or self.scripted.url("/file.png?sig=1"), target, **options)

    @property
    def names(self):
        return sorted(entry.name for entry in self.path.iterdir()) if self.path.exists() else []

    @property
    def ranges(self):
        return [request.headers.get("range") for request in self.scripted.requests]


@pytest.fixture
def fetch(file_host, tmp_path):
    return Fetch(file_host, tmp_path / "out")


def ranged(file_answer, content, *, etag='"v1"', cuts=(), honour=True):
    """Serve a file with ranges as a good host does, cutting the n-th body after so many bytes."""
    left = list(cuts)

    def answer(request):
        start = 0
        if honour and "range" in request.headers and request.headers.get("if-range") == etag:
            start = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
        headers = {"ETag": etag}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return file_answer(
            status=206 if start else 200, headers=headers, body=content[start:], sent=left.pop(0) if left else None
        )

    return answer


@pytest.mark.parametrize(
    ("kind", "extension", "mime"),
    [
        ("PNG", "png", "image/png"),
        ("JPEG", "jpg", "image/jpeg"),
        ("WEBP", "webp", "image/webp"),
        ("GIF", "gif", "image/gif"),
    ],
)
async def test_a_file_is_saved_under_what_it_is(fetch, file_host, file_answer, kind, extension, mime):
    """Extension, type and size come from the bytes, not from the address or the server's word."""
    content = drawn(kind)
    file_host.script = [file_answer(body=content, headers={"Content-Type": "text/html"})]

    file = await fetch()

    assert file.path == fetch.path / f"cat.{extension}"
    assert file.path.read_bytes() == content
    assert (file.mime, file.width, file.height) == (mime, 200, 150)
    assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert file.mtime_ns == file.path.stat().st_mtime_ns
    assert fetch.names == [f"cat.{extension}"]
    assert fetch.clock.slept == []


async def test_a_vector_is_saved_as_it_is(fetch, file_host, file_answer):
    """An SVG is one by its root element, and needs one try."""
    file_host.script = [file_answer(body=VECTOR)]

    file = await fetch()

    assert (file.path.name, file.mime, file.width, file.height) == ("cat.svg", "image/svg+xml", 9, 9)
    assert file.path.read_bytes() == VECTOR
    assert len(file_host.requests) == 1


async def test_one_of_several_files_has_its_number(fetch, file_host, file_answer):
    """Names of several files do not collide."""
    file_host.script = [file_answer(body=IMAGE)]

    await fetch(target={"index": 1, "count": 3})
    await fetch(target={"part": "last-frame"})

    assert fetch.names == ["cat~2.png", "cat~last-frame.png"]


@pytest.mark.parametrize("options", [{"chunked": True}, {"length": -1}])
async def test_lengths_need_not_be_declared(fetch, file_host, file_answer, options):
    """Chunked bodies and bodies that end with the connection are whole when their format says so."""
    file_host.script = [file_answer(body=IMAGE, **options)]

    assert (await fetch()).bytes == len(IMAGE)


async def test_a_large_file_passes_through_in_pieces(fetch, file_host, file_answer):
    """Several mebibytes arrive whole."""
    content = small_mp4("film", 1, 5 * MIB)
    file_host.script = [file_answer(body=content)]

    file = await fetch()

    assert (file.path.name, file.bytes) == ("cat.mp4", len(content))
    assert file.sha256 == hashlib.sha256(content).hexdigest()


async def test_a_broken_transfer_continues_where_it_broke(fetch, file_host, file_answer):
    """A host that can serves only what is missing."""
    content = grown(3 * MIB)
    file_host.script = [ranged(file_answer, content, cuts=[1_500_000, 700_000])]

    file = await fetch()

    assert file.path.read_bytes() == content
    assert fetch.ranges[0] is None
    assert all(one.startswith("bytes=") for one in fetch.ranges[1:])
    assert fetch.names == ["cat.png"]


@pytest.mark.parametrize("reset", [False, True])
async def test_a_broken_transfer_starts_over_without_ranges(fetch, file_host, file_answer, reset):
    """Without a validator nothing old is kept."""
    file_host.script = [
        file_answer(body=IMAGE, sent=5000, reset=reset),
        file_answer(body=IMAGE, sent=20000, reset=reset),
        file_answer(body=IMAGE),
    ]

    assert (await fetch()).path.read_bytes() == IMAGE
    assert fetch.ranges == [None, None, None]
    assert [0.5 <= fetch.clock.slept[0] <= 0.75, 1 <= fetch.clock.slept[1] <= 1.5] == [True, True]


async def test_a_host_that_ignores_ranges_starts_over(fetch, file_host, file_answer):
    """A 200 to a range is the whole file, and what was there before is dropped."""
    content = grown(2 * MIB)
    file_host.script = [ranged(file_answer, content, cuts=[1_300_000], honour=False)]

    assert (await fetch()).path.read_bytes() == content
    assert fetch.ranges[1] is not None


async def test_a_file_that_changed_in_between_is_fetched_anew(fetch, file_host, file_answer):
    """Two versions are never mixed."""
    old = grown(2 * MIB)
    new = drawn(size=(90, 90))
    file_host.script = [ranged(file_answer, old, cuts=[1_300_000]), ranged(file_answer, new, etag='"v2"')]

    assert (await fetch()).path.read_bytes() == new


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": 206, "headers": {"Content-Range": "bytes 0-9/10"}, "body": b"0123456789"},
        {"status": 206, "body": b"0123456789"},
        {"status": 416, "headers": {"Content-Range": "bytes */10"}},
    ],
)
async def test_nonsense_in_answer_to_a_range_starts_over(fetch, file_host, file_answer, wrong):
    """A rest that does not fit, or a range that cannot be satisfied, leads back to the beginning."""
    content = grown(2 * MIB)
    file_host.script = [
        ranged(file_answer, content, cuts=[1_300_000]),
        file_answer(**wrong),
        ranged(file_answer, content),
    ]

    assert (await fetch()).path.read_bytes() == content
    assert [one is None for one in fetch.ranges] == [True, False, True]


@pytest.mark.parametrize(
    "headers",
    [
        {"ETag": '"v2"', "Content-Range": "bytes {start}-{last}/{total}"},
        {"Content-Range": "bytes {start}-{last}/{total}"},
        {"ETag": '"v2"', "Content-Range": "bytes {start}-{last}/*"},
        {"Content-Range": "bytes {start}-{last}/*"},
    ],
    ids=["tag and length", "length", "tag", "nothing said"],
)
async def test_a_rest_of_another_version_starts_over(fetch, file_host, file_answer, headers):
    """A host that ignores If-Range and goes on with another file gives no mixture: the new file is fetched whole."""
    old, new = grown(2 * MIB), grown(3 * MIB)

    def other(request):
        start = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
        said = {name: text.format(start=start, last=len(new) - 1, total=len(new)) for name, text in headers.items()}
        return file_answer(status=206, headers=said, body=new[start:])

    file_host.script = [ranged(file_answer, old, cuts=[1_300_000]), other, ranged(file_answer, new, etag='"v2"')]

    assert (await fetch()).path.read_bytes() == new
    assert [one is None for one in fetch.ranges] == [True, False, True]


async def test_a_part_that_nobody_asked_for_is_continued(fetch, file_host, file_answer):
    """A host that sends the first part only is asked for the rest; one that labels the whole as a part is believed."""
    head = {"ETag": '"v1"', "Content-Range": f"bytes 0-4999/{len(IMAGE)}"}
    rest = {"ETag": '"v1"', "Content-Range": f"bytes 5000-{len(IMAGE) - 1}/{len(IMAGE)}"}
    file_host.script = [
        file_answer(status=206, headers=head, body=IMAGE[:5000]),
        file_answer(status=206, headers=rest, body=IMAGE[5000:]),
        file_answer(status=206, body=IMAGE),
    ]

    assert (await fetch()).path.read_bytes() == IMAGE
    assert fetch.ranges == [None, "bytes=5000-"]
    assert (await fetch(target={"stem": "dog"})).path.read_bytes() == IMAGE


async def test_a_file_that_lacked_only_its_end_mark_is_whole(fetch, file_host, file_answer):
    """A connection that broke after the last byte costs no second transfer."""
    file_host.script = [
        file_answer(headers={"ETag": '"v1"'}, body=IMAGE + b"x", sent=len(IMAGE), chunked=True),
        file_answer(status=416, headers={"Content-Range": f"bytes */{len(IMAGE)}"}),
    ]

    assert (await fetch()).path.read_bytes() == IMAGE
    assert len(file_host.requests) == 2


@pytest.mark.parametrize("label", ["aws-chunked", "UTF-8", "none", "gzip", "br", "identity, aws-chunked"])
async def test_a_label_does_not_make_a_file(fetch, file_host, file_answer, label):
    """What is called compressed and is an image is saved as it is."""
    file_host.script = [file_answer(body=IMAGE, headers={"Content-Encoding": label})]

    assert (await fetch()).path.read_bytes() == IMAGE


@pytest.mark.parametrize("etag", ['"a\x01b"', '"\xff\xfe"', '"a\tb"', '"' + "x" * 20_000 + '"'])
async def test_a_strange_tag_ends_nothing(fetch, file_host, file_answer, etag):
    """A tag that cannot be sent back is not sent back: the broken transfer starts over."""
    file_host.script = [
        file_answer(headers={"ETag": etag}, body=IMAGE, sent=20_000),
        file_answer(headers={"ETag": etag}, body=IMAGE),
    ]

    assert (await fetch()).path.read_bytes() == IMAGE


async def test_long_headers_and_many_of_them_are_read(fetch, file_host, file_answer):
    """A redirect of 9 kB, and 140 headers of 9 kB, are no reason to lose what is paid for."""
    long = {f"X-Policy-{number}": "a" * 9000 for number in range(140)}
    target = file_host.url("/moved.png?sig=" + "s" * 9000)
    file_host.script = [
        file_answer(status=302, headers={**long, "Location": target}),
        file_answer(body=IMAGE, headers=long),
    ]

    assert (await fetch()).path.read_bytes() == IMAGE
    assert file_host.requests[1].target.endswith("s" * 9000)


async def test_a_transfer_is_told(fetch, file_host, file_answer):
    """Its beginning, each retry with its error, and its end, by the host's name alone."""
    heard = []
    file_host.script = [file_answer(status=503), file_answer(body=IMAGE)]
    await fetch(tell=lambda event, **facts: heard.append(event(at=0.0, **facts)), target={"index": 2, "count": 3})

    assert [TransferBegun, TransferRetried, TransferDone] == [type(event) for event in heard]
    assert {("127.0.0.1", 2)} == {(event.host, event.index) for event in heard}
    assert (503, len(IMAGE)) == (heard[1].error.http_status, heard[2].bytes)
    assert "sig" not in repr(heard)


async def test_a_rest_that_is_too_long_is_dropped(fetch, file_host, file_answer):
    """The declared whole bounds what parts may add up to."""
    content = grown(2 * MIB)

    def too_long(request):
        start = int(request.headers["range"].removeprefix("bytes=").removesuffix("-"))
        headers = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}", "ETag": '"v1"'}
        return file_answer(status=206, headers=headers, body=content[start:] + b"more")

    file_host.script = [
        ranged(file_answer, content, cuts=[1_300_000]),
        too_long,
        ranged(file_answer, content),
    ]

    assert (await fetch()).path.read_bytes() == content
    assert fetch.ranges[2] is None


async def test_progress_does_not_count_as_failure(fetch, file_host, file_answer):
    """A large file over a bad line arrives, however often the line breaks."""
    content = grown(9 * MIB)
    file_host.script = [ranged(file_answer, content, cuts=[MIB + 300_000] * 7)]

    assert (await fetch(attempts=2)).bytes == len(content)


@pytest.mark.parametrize(
    "bad",
    [
        {"body": PAGE},
        {"body": b'{"error":"busy"}'},
        {"body": b""},
        {"body": b"short"},
        {"body": os.urandom(500)},
        {"status": 500},
        {"status": 502, "body": PAGE},
        {"status": 478},
        {"status": 429, "headers": {"Retry-After": "3"}},
        {"body": IMAGE, "sent": 700},
        {"body": IMAGE, "sent": 700, "reset": True},
        {"body": IMAGE, "sent": 700, "chunked": True},
        {"body": IMAGE, "sent": 700, "length": -1},
        {"body": IMAGE[:700]},
        {"body": IMAGE, "sent": 700, "stall": True},
        {"body": b"\x0b\x02\x80hello\x03", "headers": {"Content-Encoding": "br"}},
        {"status": 206, "headers": {"Content-Range": "bytes 7-9/10"}, "body": b"789"},
    ],
    ids=named,
)
async def test_what_may_pass_is_tried_again(fetch, file_host, file_answer, bad):
    """Pages, messages, busy hosts and broken transfers: the next answer may be the file."""
    file_host.script = [file_answer(**bad), file_answer(**bad), file_answer(body=IMAGE)]

    assert (await fetch()).path.read_bytes() == IMAGE
    assert fetch.names == ["cat.png"]
    assert len(fetch.clock.slept) == 2
    if bad.get("status") == 429:
        assert min(fetch.clock.slept) >= 3


@pytest.mark.parametrize(
    ("bad", "error", "tries"),
    [
        ({"body": PAGE}, ContentMismatchError, 5),
        ({"body": b""}, ContentMismatchError, 5),
        ({"status": 503}, DownloadError, 5),
        ({"body": IMAGE, "sent": 700}, TruncatedError, 5),
        ({"body": IMAGE, "sent": 700, "length": -1}, TruncatedError, 5),
        ({"body": IMAGE[:700]}, TruncatedError, 5),
        ({"body": IMAGE[:700] + os.urandom(700) + IMAGE[1400:]}, ContentMismatchError, 5),
        ({"body": IMAGE[:700] + bytes([IMAGE[700] ^ 1]) + IMAGE[701:]}, ContentMismatchError, 5),
        ({"body": IMAGE + PAGE}, ContentMismatchError, 5),
        ({"body": FILM, "sent": 200_000, "length": -1}, TruncatedError, 5),
        ({"body": PHOTO, "sent": len(PHOTO) // 3, "length": -1}, TruncatedError, 5),
        ({"status": 401}, LinkExpiredError, 1),
        ({"status": 403}, LinkExpiredError, 1),
        ({"status": 404}, LinkExpiredError, 1),
        ({"status": 410, "body": PAGE}, LinkExpiredError, 1),
        ({"status": 400}, DownloadError, 1),
        ({"status": 204}, DownloadError, 1),
        ({"status": 302, "headers": {"Location": "https://10.0.0.1/"}}, DownloadError, 1),
    ],
    ids=named,
)
async def test_what_does_not_pass_is_an_error_that_says_so(fetch, file_host, file_answer, bad, error, tries):
    """Each ends with its own error after its own number of tries, leaves nothing, and says the task is paid for."""
    file_host.script = [file_answer(**bad)]

    with pytest.raises(error) as caught:
        await fetch()

    assert type(caught.value) is error
    assert "sig" not in str(caught.value) + caught.value.url
    assert caught.value.hint
    assert len(file_host.requests) == tries
    assert fetch.names == []


@pytest.mark.parametrize("options", [{}, {"length": -1}, {"chunked": True}])
async def test_a_file_that_is_too_long_is_refused_at_once(fetch, file_host, file_answer, options):
    """Declared or not, and without another try."""
    file_host.script = [file_answer(body=IMAGE, **options)]

    with pytest.raises(ContentMismatchError, match="longer than 1000 bytes"):
        await fetch(max_bytes=1000)

    assert len(file_host.requests) == 1
    assert fetch.names == []


async def test_a_compression_bomb_is_refused_at_once(fetch, file_host, file_answer):
    """What a body inflates to counts, not what it weighs."""
    body = gzip.compress(IMAGE + bytes(20 * MIB))
    file_host.script = [file_answer(body=body, headers={"Content-Encoding": "gzip"})]

    with pytest.raises(ContentMismatchError, match="longer"):
        await fetch(max_bytes=MIB)
    file_host.script = [file_answer(body=gzip.compress(IMAGE), headers={"Content-Encoding": "gzip"})]
    assert (await fetch()).path.read_bytes() == IMAGE


async def test_a_refused_address_is_not_asked(fetch, file_host):
    """What leads inside is refused before anything is sent, and not tried again."""
    with pytest.raises(DownloadError, match="refused"):
        await fetch("https://169.254.169.254/latest/meta-data/?sig=1")

    assert file_host.requests == []
    assert fetch.clock.slept == []


async def test_a_refusing_disk_is_a_storage_error(fetch, file_host, file_answer):
    """It is no fault of the host's, and is not tried again."""
    fetch.path.write_text("in the way")
    file_host.script = [file_answer(body=IMAGE)]

    with pytest.raises(StorageError):
        await fetch()
    assert len(file_host.requests) == 1
    assert fetch.path.read_text() == "in the way"


@pytest.mark.parametrize("size", [20_000, 3 * MIB])
async def test_cancelled_at_any_moment_nothing_is_left(fetch, file_host, file_answer, size):
    """A transfer that is given up leaves no temporary name, and never half a file."""
    content = IMAGE[:-12] + bytes(size) + IMAGE[-12:]
    file_host.script = [file_answer(body=content)]

    for turns in range(40):
        task = asyncio.ensure_future(fetch())
        for _ in range(turns):
            await asyncio.sleep(0 if turns % 2 else 0.0003)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert fetch.names in ([], ["cat.png"])

    assert all(path.read_bytes() == content for path in fetch.path.glob("*"))


async def test_many_files_with_a_bad_host(file_host, file_answer, tmp_path):
    """With one in three answers bad in some way, every file arrives whole."""
    source = random.Random(7)
    bad = [
        file_answer(body=IMAGE, sent=9000),
        file_answer(body=IMAGE, sent=9000, reset=True),
        file_answer(body=PAGE),
        file_answer(status=503),
        file_answer(body=IMAGE[:9000]),
    ]
    good = ranged(file_answer, IMAGE)
    file_host.script = [lambda request: source.choice(bad) if source.random() < 0.3 else good(request)]
    options = {"clock": Waits(), "random": source, "attempts": 12}

    async with (
        FileHost(base_url=file_host.base_url, user_agent="t", connections=8) as host,
        OutputDirectory(tmp_path) as directory,
    ):
        files = await asyncio.gather(
            *(
                fetch_file(host, file_host.url(f"/{n}"), FileTarget(sink=directory, stem=f"f{n}"), **options)
                for n in range(100)
            )
        )

    assert {file.sha256 for file in files} == {hashlib.sha256(IMAGE).hexdigest()}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"f{n}.png" for n in range(100))


ENCODED = base64.b64encode(IMAGE).decode()


@pytest.mark.parametrize(
    "url",
    [
        "data:image/jpeg;base64," + ENCODED,
        "DATA:;BASE64," + ENCODED.rstrip("="),
        "data:image/png;base64," + base64.urlsafe_b64encode(IMAGE).decode(),
        "data:image/png;name=a.png;base64, " + "\n".join(ENCODED[at : at + 76] for at in range(0, len(ENCODED), 76)),
        "data:image/png;base64," + quote(ENCODED, safe=""),
        "data:image/png," + quote(IMAGE),
    ],
    ids=["wrong type", "capitals, no padding", "other alphabet", "lines", "quoted", "no base64"],
)
async def test_data_addresses_need_no_network(fetch, file_host, url):
    """Results that come inside the reply are saved like all others, however they are written."""
    file = await fetch(url)

    assert file.path.read_bytes() == IMAGE
    assert (file.path.name, file.width) == ("cat.png", 200)
    assert file_host.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "data:,hello",
        "data:",
        "data:image/png;base64",
        "data:image/png;base64,####",
        "data:image/png;base64,aGVsbG8=",
        "data:image/png;base64,",
        "data:image/png;base64,A",
        "data:image/png;base64," + base64.b64encode(IMAGE[:700] + IMAGE[701:]).decode(),
    ],
    ids=range(8),
)
async def test_bad_data_addresses_are_refused(fetch, url):
    """What is no base64, or no image, is named."""
    with pytest.raises(ContentMismatchError):
        await fetch(url)

    assert fetch.names == []


async def test_a_data_address_that_is_cut_is_refused(fetch):
    """A file that came inside a reply is looked at like any other."""
    with pytest.raises(TruncatedError):
        await fetch("data:image/png;base64," + base64.b64encode(IMAGE[:-20]).decode())

    assert fetch.names == []


async def test_a_data_address_that_is_too_long_is_refused(fetch):
    """The size cap holds for these, too."""
    with pytest.raises(ContentMismatchError):
        await fetch("data:image/png;base64," + base64.b64encode(IMAGE).decode(), max_bytes=100)
