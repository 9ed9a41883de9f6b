"""Sessions whose files go into a bucket."""

import json
from hashlib import sha256

import pytest

from toapis_async import ConfigurationError, ImageRequest, Saved

pytestmark = pytest.mark.s3

FOXES = [ImageRequest("a fox", id="fox"), ImageRequest("an owl", id="owl")]


async def outcomes(client, where, requests=FOXES, **settings):
    async with client.session(where, **settings) as session:
        return [outcome async for outcome in session.stream(requests)]


async def test_a_session_saves_into_a_bucket(live, s3, tmp_path):
    """Files and a copy of the manifest are in the bucket, the journal is here, and given again nothing is done."""
    address, options = s3.new_bucket()
    async with live() as (sim, client):
        for resumed in (False, True):
            ended = await outcomes(client, address, journal=tmp_path / "runs", store_options=options)
            assert [(True, resumed)] * 2 == [(isinstance(outcome, Saved), outcome.resumed) for outcome in ended]
            assert {f"{address}/fox.png", f"{address}/owl.png"} == {outcome.files[0].uri for outcome in ended}
        assert sim.books.posts == 2
    assert s3.names(address) == ["fox.png", "manifest.jsonl", "owl.png"]
    assert (tmp_path / "runs" / "manifest.jsonl").read_bytes() == s3.read(address, "manifest.jsonl")
    for line in map(json.loads, s3.read(address, "manifest.jsonl").splitlines()):
        (file,) = line["files"]
        assert sha256(s3.read(address, file["path"])).hexdigest() == file["sha256"]


async def test_what_is_gone_or_changed_is_fetched_again(live, s3, tmp_path):
    """A resumed run mends the bucket by what it paid for already."""
    address, options = s3.new_bucket()
    async with live() as (sim, client):
        first = await outcomes(client, address, journal=tmp_path, store_options=options)
        s3.put(address, "fox.png", None)
        s3.put(address, "owl.png", b"broken")
        again = await outcomes(client, address, journal=tmp_path, store_options=options)
        assert sim.books.posts == 2
    assert sorted(o.files[0].sha256 for o in first) == sorted(o.files[0].sha256 for o in again)
    assert s3.names(address) == ["fox.png", "manifest.jsonl", "owl.png"]
    assert s3.read(address, "owl.png") != b"broken"


async def test_a_run_without_its_journal_knows_the_bucket(live, s3, tmp_path):
    """On another machine the bucket's manifest says what is there, and nothing is paid for again."""
    address, options = s3.new_bucket()
    async with live() as (sim, client):
        await outcomes(client, address, journal=tmp_path / "here", store_options=options)
        ended = await outcomes(client, address, journal=tmp_path / "there", store_options=options)
        assert [outcome.resumed for outcome in ended] == [True, True]
        assert sim.books.posts == 2


async def test_a_strangers_object_stays(live, s3, tmp_path):
    """The user's own object keeps its name."""
    address, options = s3.new_bucket()
    s3.put(address, "fox.png", b"MY OWN PHOTO")
    async with live() as (_, client):
        (ended,) = await outcomes(client, address, FOXES[:1], journal=tmp_path, store_options=options)
    assert f"{address}/fox~copy.png" == ended.files[0].uri
    assert s3.read(address, "fox.png") == b"MY OWN PHOTO"


async def test_a_bucket_needs_a_journal_on_this_machine(live, s3):
    """Without a place for the journal the session is refused before anything is sent."""
    address, options = s3.new_bucket()
    async with live() as (_, client):
        with pytest.raises(ConfigurationError, match="journal"):
            client.session(address, store_options=options)
