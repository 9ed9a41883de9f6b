"""What a bucket has beyond the promises of every sink."""

import asyncio
from hashlib import sha256

import pytest

from toapis_async.errors import ConfigurationError, StorageError
from toapis_async.storage.files.bucket_sink import BucketSink, is_bucket
from toapis_async.storage.files.bucket_stores import store_at
from toapis_async.storage.files.sinks import sink_at

obstore = pytest.importorskip("obstore", reason="not installed: obstore (pip install 'toapis-async[cloud]')")


async def put(sink, content, name="cat.png", *, replace=False):
    draft = sink.draft("cat")
    await draft.write(content)
    file = await draft.publish(name, mime="image/png", replace=replace)
    await draft.discard()
    return file


@pytest.mark.s3
@pytest.mark.parametrize("size", [9, 12_000_000])
async def test_an_object_says_what_it_is(s3, size):
    """Content type and checksum are the object's attributes, put at once or in parts."""
    address, options = s3.new_bucket()
    content = bytes(size)
    async with BucketSink(address, options, largest_put_bytes=1000) as sink:
        file = await put(sink, content)
    found = obstore.get(store_at(address, options), "cat.png")
    assert file is not None
    assert sha256(content).hexdigest() == found.attributes["sha256"] == file.sha256
    assert found.attributes["Content-Type"] == "image/png"
    assert content == bytes(found.bytes())


@pytest.mark.s3
async def test_an_object_is_verified_without_being_read(s3, monkeypatch):
    """What carries its checksum is believed by its head; only a stranger's object is fetched."""
    address, options = s3.new_bucket()
    async with BucketSink(address, options) as sink:
        file = await put(sink, b"cat")
        asked = []
        get = obstore.get_async
        monkeypatch.setattr(obstore, "get_async", lambda *a, options: asked.append(options) or get(*a, options=options))
        assert await sink.intact([[file]]) == [True]
        assert asked == [{"head": True}]
        s3.put(address, "cat.png", b"cat")
        assert await sink.intact([[file]]) == [True]
        assert asked[1:] == [{"head": True}, {"head": False}]


@pytest.mark.s3
@pytest.mark.parametrize("size", [9, 12_000_000])
async def test_a_cancelled_put_leaves_nothing_in_parts(s3, size):
    """Whoever is cancelled while a file goes up waits for its end."""
    address, options = s3.new_bucket()
    async with BucketSink(address, options, largest_put_bytes=1000) as sink:
        draft = sink.draft("cat")
        await draft.write(bytes(size))
        task = asyncio.ensure_future(draft.publish("cat.png", mime="image/png"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await draft.discard()
    assert s3.names(address) == ["cat.png"]
    assert s3.uploads(address) == []


@pytest.mark.s3
async def test_a_store_that_refuses_is_said_so(s3):
    """The error names the place and not the key."""
    options = {**s3.options, "retry_config": {"max_retries": 0}}
    async with BucketSink("s3://no-such-bucket/july", options) as sink:
        with pytest.raises(StorageError) as caught:
            await put(sink, b"cat")
    assert "s3://no-such-bucket/july/cat.png" in str(caught.value)
    assert s3.options["secret_access_key"] not in str(caught.value) + repr(sink)


@pytest.mark.s3
async def test_a_copy_travels_both_ways(s3, tmp_path):
    """A file of this machine is kept as it is, and comes back; where there is none, nothing comes."""
    address, options = s3.new_bucket()
    (tmp_path / "lines").write_bytes(b"one\ntwo\n")
    async with BucketSink(address, options) as sink:
        assert await sink.fetch_copy(tmp_path / "lines.jsonl") is False
        await sink.keep_copy(tmp_path / "lines")
        (tmp_path / "lines").write_bytes(b"one\n")
        assert await sink.fetch_copy(tmp_path / "lines") is True
    assert (tmp_path / "lines").read_bytes() == b"one\ntwo\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["lines"]


@pytest.mark.parametrize(
    ("address", "is_one"),
    [
        ("s3://bucket/july", True),
        ("s3://bucket", True),
        ("gs://bucket/a/b/", True),
        ("az://account/container", True),
        ("s3://key:secret@bucket/july", False),
        ("s3://bucket/july?X-Amz-Signature=1", False),
        ("s3://", False),
        ("ftp://host/out", False),
        ("out/july", False),
    ],
)
def test_addresses_of_buckets_are_known(address, is_one):
    """A bucket's address has a place in it, and nothing that is secret."""
    assert is_one is is_bucket(address)


@pytest.mark.parametrize(
    ("where", "options"),
    [("s3://bucket/july", {"no_such_key": 1}), ("out", {"region": "x"}), ("ftp://host/out", None)],
)
def test_what_cannot_be_is_refused_at_once(where, options):
    """An unknown option or address is named before anything is sent."""
    with pytest.raises(ConfigurationError):
        sink_at(where, store_options=options)
