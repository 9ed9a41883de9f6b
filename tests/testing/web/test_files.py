"""The file host."""

import asyncio

import aiohttp
import pytest

from toapis_async.testing import (
    Drop,
    Fault,
    ForbiddenUntilLookup,
    HtmlFile,
    Refuse,
    Reset,
    SlowFile,
    Truncate,
    WrongType,
)

LARGE = {"small_bytes": 300_000}


async def url_of(caller, **fields):
    """The address of a finished image."""
    return (await caller.made(**fields))["result"]["data"][0]["url"]


async def test_a_file_comes_whole_with_length_and_etag(running):
    """It needs no key and always has the same bytes."""
    async with running() as (sim, caller):
        url = await url_of(caller)

        status, headers, body = await caller.call("GET", url, key=False)

        assert (status, headers["Content-Type"], int(headers["Content-Length"])) == (200, "image/png", len(body))
        assert body == (await caller.call("GET", url, key=False))[2]
        assert (sim.books.downloads, sim.books.bytes_sent) == (2, 2 * len(body))


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=100-", 100, 2047), ("bytes=0-0", 0, 0), ("bytes=-10", 2038, 2047), ("bytes=2000-9999", 2000, 2047)],
)
async def test_a_range_is_honoured(running, asked, first, last):
    """206, the bytes asked for, and where they lie."""
    async with running() as (_, caller):
        url = await url_of(caller)
        _, whole, content = await caller.call("GET", url)

        headers = {"Range": asked, "If-Range": whole["ETag"]}
        status, headers, body = await caller.call("GET", url, headers=headers)

        assert (status, headers["Content-Range"]) == (206, f"bytes {first}-{last}/2048")
        assert body == content[first : last + 1]


@pytest.mark.parametrize("asked", ["bytes=2048-", "bytes=5-4", "bytes=-"])
async def test_a_range_past_the_end_is_refused(running, asked):
    """416 says how long the file is."""
    async with running() as (_, caller):
        status, headers, body = await caller.call("GET", await url_of(caller), headers={"Range": asked})

        assert (status, headers["Content-Range"], body) == (416, "bytes */2048", b"")


@pytest.mark.parametrize("headers", [{"Range": "bytes=9-", "If-Range": '"other"'}, {"Range": "lines=1-2"}])
async def test_a_range_that_does_not_hold_gets_the_whole_file(running, headers):
    """A changed ETag or an unknown unit is answered with 200."""
    async with running() as (_, caller):
        status, _, body = await caller.call("GET", await url_of(caller), headers=headers)

        assert (status, len(body)) == (200, 2048)


async def test_a_host_without_ranges_sends_the_whole_file(running):
    """The scenario can turn ranges off."""
    async with running(ranges=False) as (_, caller):
        status, headers, body = await caller.call("GET", await url_of(caller), headers={"Range": "bytes=100-"})

        assert (status, headers["Accept-Ranges"], len(body)) == (200, "none", 2048)


async def test_head_tells_the_length_and_counts_no_download(running):
    """The books count bytes that were sent."""
    async with running() as (sim, caller):
        status, headers, body = await caller.call("HEAD", await url_of(caller))

        assert (status, headers["Content-Length"], body, sim.books.downloads) == (200, "2048", b"", 0)


async def test_links_die_after_a_day(running):
    """403, and the task then names no file; the clock makes the day."""
    async with running() as (sim, caller):
        task = await caller.made()
        sim.clock.advance(86_395)
        url = task["result"]["data"][0]["url"]
        sim.clock.advance(10)

        assert (await caller.call("GET", url))[0] == 403
        assert (await caller.look(task["id"]))["result"]["data"] == []


async def test_a_file_is_not_there_before_its_task_has_ended(running):
    """Guessing the address helps nobody."""
    async with running() as (sim, caller):
        task = await caller.submit()
        (path,) = sim.gateway.files

        assert (await caller.call("GET", path))[0] == 404
        assert (await caller.call("GET", "/generated/1_0.png"))[0] == 404
        assert task["status"] == "pending"


async def test_each_image_of_a_task_is_another_file(running):
    """Two images, two addresses, two contents."""
    async with running() as (_, caller):
        task = await caller.made(n=2)
        first, second = [(await caller.call("GET", item["url"]))[2] for item in task["result"]["data"]]

        assert first != second


@pytest.mark.parametrize("what", [Truncate(), Reset()])
async def test_a_broken_transfer_is_an_error_of_the_connection(running, what):
    """The announced length is not reached, and the books count no download."""
    async with running(faults=(Fault(where="file", what=what, nth=1),), **LARGE) as (sim, caller):
        url = await url_of(caller)
        with pytest.raises(aiohttp.ClientError):
            await caller.call("GET", url)
        assert (sim.books.downloads, sim.books.bytes_sent < 300_000) == (0, True)

        assert len((await caller.call("GET", url))[2]) == 300_000


async def test_a_file_request_may_be_dropped(running):
    """No reply at all; aiohttp repeats a GET once by itself, so it takes more than one."""
    async with running(faults=(Fault(where="file", what=Drop()),)) as (sim, caller):
        url = await url_of(caller)
        with pytest.raises(aiohttp.ClientConnectionError):
            await caller.call("GET", url)

        assert (sim.books.downloads, sim.books.replies["file", 200]) == (0, 0)


async def test_a_truncated_file_may_look_complete(running):
    """Without an announced length only the content can tell."""
    what = Truncate(fraction=0.25, declared=False)
    async with running(faults=(Fault(where="file", what=what),), **LARGE) as (sim, caller):
        status, headers, body = await caller.call("GET", await url_of(caller))

        assert (status, "Content-Length" in headers, len(body), sim.books.downloads) == (200, False, 75_000, 0)


async def test_a_page_may_come_in_place_of_the_file(running):
    """Status 200 and HTML."""
    async with running(faults=(Fault(where="file", what=HtmlFile()),)) as (_, caller):
        status, headers, body = await caller.call("GET", await url_of(caller))

        assert (status, headers["Content-Type"], body[:6]) == (200, "text/html", b"<html>")


async def test_a_file_may_come_under_another_type(running):
    """The bytes are right and the type is not."""
    async with running(faults=(Fault(where="file", what=WrongType(content_type="text/plain")),)) as (_, caller):
        _, headers, body = await caller.call("GET", await url_of(caller))

        assert (headers["Content-Type"], body[:4]) == ("text/plain", b"\x89PNG")


@pytest.mark.parametrize("fresh", [False, True])
async def test_a_file_may_be_forbidden_until_looked_up(running, fresh):
    """After another look the same address works, or a fresh one does and the old one stays dead."""
    fault = Fault(where="file", what=ForbiddenUntilLookup(fresh_url=fresh), nth=1)
    async with running(faults=(fault,)) as (_, caller):
        task = await caller.made()
        url = task["result"]["data"][0]["url"]
        assert [(await caller.call("GET", url))[0] for _ in range(2)] == [403, 403]

        renewed = (await caller.look(task["id"]))["result"]["data"][0]["url"]

        assert (await caller.call("GET", renewed))[0] == 200
        assert (renewed != url, (await caller.call("GET", url))[0]) == ((True, 403) if fresh else (False, 200))


async def test_a_slow_file_takes_its_time(running):
    """At 10 kB a second, 2 kB take two steps of the clock."""
    async with running(faults=(Fault(where="file", what=SlowFile(bytes_per_second=10_000)),)) as (sim, caller):
        url = await url_of(caller)
        before = sim.clock.monotonic()
        coming = asyncio.ensure_future(caller.call("GET", url))

        assert len((await coming)[2]) == 2048
        assert sim.clock.monotonic() - before >= 0.2


async def test_the_host_can_be_down(running):
    """Any reply can stand for a file too."""
    async with running(faults=(Fault(where="file", what=Refuse(reply="html_502")),)) as (_, caller):
        assert (await caller.call("GET", await url_of(caller)))[0] == 502


async def test_who_leaves_in_the_middle_has_not_downloaded(running):
    """The books count what went out to the last byte only."""
    async with running(small_bytes=30_000_000) as (sim, caller):
        url = await url_of(caller)
        async with caller.session.get(url) as reply:
            await reply.content.readexactly(1000)
            reply.close()
        while not sim.books.replies["file", 200]:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)

        assert sim.books.downloads == 0


async def test_an_upload_can_be_fetched(running, form):
    """What was uploaded lies at its address; after the gateway forgot it, it does not."""
    content = b"\x89PNG\r\n\x1a\n" + bytes(50)
    async with running() as (sim, caller):
        _, _, document = await caller.call("POST", "/v1/uploads/images", data=form(content))
        url = document["data"]["url"]

        assert (await caller.call("GET", url))[2] == content
        sim.forget_uploads()
        assert (await caller.call("GET", url))[0] == 404
