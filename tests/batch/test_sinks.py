"""Sessions whose files, journal and manifest are in different places."""

import json

import pytest
from PIL import Image

from toapis_async import (
    ConfigurationError,
    ContentMismatchError,
    ImageRequest,
    IncompleteDownloadError,
    MemorySink,
    Saved,
    TransferBegun,
    TransferDone,
    TransferRetried,
    Unfinished,
)
from toapis_async.client import downloading
from toapis_async.testing import Fault, Reset

FOXES = [ImageRequest("a fox", id="fox"), ImageRequest("an owl", id="owl")]


def names(path):
    return sorted(entry.name for entry in path.iterdir()) if path.exists() else []


async def outcomes(client, where, requests=FOXES, **settings):
    async with client.session(where, **settings) as session:
        return [outcome async for outcome in session.stream(requests)]


async def test_a_journal_has_a_directory_of_its_own(live, tmp_path):
    """Journal, lock and manifest go where they are told; the output directory holds files only, and resumes."""
    async with live() as (sim, client):
        for _ in range(2):
            ended = await outcomes(client, tmp_path / "out", journal=tmp_path / "runs")
            assert [isinstance(outcome, Saved) for outcome in ended] == [True, True]
        assert sim.books.posts == 2
    assert names(tmp_path / "out") == ["fox.png", "owl.png"]
    assert names(tmp_path / "runs") == [".toapis", "manifest.jsonl"]
    lines = [json.loads(line) for line in (tmp_path / "runs" / "manifest.jsonl").read_text().splitlines()]
    assert sorted(line["files"][0]["path"] for line in lines) == ["fox.png", "owl.png"]


async def test_a_session_saves_into_any_sink(live, tmp_path):
    """A sink of the user's takes the files of a session that resumes by a journal on this machine."""
    sink = MemorySink()
    async with live() as (sim, client):
        for resumed in (False, True):
            ended = await outcomes(client, sink, journal=tmp_path / "runs")
            assert {resumed} == {outcome.resumed for outcome in ended}
            assert {"memory://sink/fox.png", "memory://sink/owl.png"} == {o.files[0].uri for o in ended}
        assert sim.books.posts == 2
    assert {"fox.png", "owl.png"} == set(sink.contents)


async def test_nothing_need_be_kept_on_this_machine(live, tmp_path, monkeypatch):
    """Without a journal, a sink that is elsewhere leaves no trace on the disk."""
    monkeypatch.chdir(tmp_path)
    async with live() as (_, client):
        assert len(await outcomes(client, MemorySink(), journal=False)) == 2
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("where", "journal"),
    [(MemorySink(), True), ("out", "s3://bucket/runs"), ("out", ""), ("out", 1), ("s3://bucket/july", True)],
    ids=["a sink of memory", "a bucket for a journal", "an empty name", "a number", "a bucket without a journal"],
)
async def test_places_that_cannot_be_are_refused(live, where, journal):
    """What would not work is named before anything is opened."""
    async with live() as (_, client):
        with pytest.raises(ConfigurationError):
            client.session(where, journal=journal)


async def test_a_session_replaces_no_strangers_file(live, tmp_path):
    """The user's own cat.png stays; ours has another name, and is known by it when the run is given again."""
    (tmp_path / "fox.png").write_bytes(b"MY OWN PHOTO")
    async with live() as (sim, client):
        for _ in range(2):
            (ended,) = await outcomes(client, tmp_path, FOXES[:1])
            assert ended.files[0].name == "fox~copy.png"
        assert sim.books.posts == 1
    assert (tmp_path / "fox.png").read_bytes() == b"MY OWN PHOTO"


async def test_a_session_replaces_its_own_broken_file(live, tmp_path):
    """A saved file that is not as it was is fetched again, and has its name again."""
    async with live() as (sim, client):
        await outcomes(client, tmp_path, FOXES[:1])
        (tmp_path / "fox.png").write_bytes(b"broken")
        (ended,) = await outcomes(client, tmp_path, FOXES[:1])
        assert sim.books.posts == 1
    assert tmp_path / "fox.png" == ended.files[0].path
    assert names(tmp_path) == [".toapis", "fox.png", "manifest.jsonl"]


async def test_two_sessions_without_a_journal_leave_each_others_drafts(live, tmp_path):
    """Only a lock tells that nobody else writes here: without one, a draft in the making stays."""
    async with live() as (_, client):
        draft = tmp_path / ".cat.0123abcd0.part"
        draft.write_bytes(b"half")
        await outcomes(client, tmp_path, FOXES[:1], journal=False)
        assert draft.exists()
        await outcomes(client, tmp_path, FOXES[:1])
        assert not draft.exists()


async def test_files_are_named_by_a_template(live, tmp_path):
    """The template's facts are those of the request and of the file; it has to tell items apart."""
    async with live() as (sim, client):
        for _ in range(2):
            ended = await outcomes(client, tmp_path, name="{slug}_{id}_{size}")
            sizes = [f"{outcome.files[0].width}x{outcome.files[0].height}" for outcome in ended]
            expected = {f"a-fox_fox_{sizes[0]}.png", f"an-owl_owl_{sizes[0]}.png"}
            assert expected == {outcome.files[0].name for outcome in ended}
        assert sim.books.posts == 2
        for wrong in ("{slug}", "{key}", ""):
            with pytest.raises(ConfigurationError):
                client.session(tmp_path, name=wrong)


async def test_transfers_of_a_session_are_told(live, tmp_path):
    """Each transfer is told with its item and its task, retries too."""
    heard = []
    once = Fault(where="file", what=Reset(), nth=1)
    async with live(faults=[once]) as (_, client):
        await outcomes(client, tmp_path, FOXES[:1], on_event=heard.append)
    transfers = [event for event in heard if isinstance(event, TransferBegun | TransferRetried | TransferDone)]
    assert [TransferBegun, TransferRetried, TransferDone] == [type(event) for event in transfers]
    assert {("fox", "127.0.0.1")} == {(event.key, event.host) for event in transfers}
    assert None not in {event.task_id for event in transfers}


async def test_an_item_that_lacks_a_file_has_its_others(live, tmp_path, monkeypatch):
    """One of four files is broken: the item is unfinished, its error has the others, and resuming completes it."""
    four = [ImageRequest("a fox", id="fox", model="gpt-image-2-official", n=4)]
    fetch = downloading.fetch_file

    async def broken(host, url, target, **others):
        if target.index == 1:
            raise ContentMismatchError("No picture came.", url=url)
        return await fetch(host, url, target, **others)

    async with live() as (sim, client):
        with monkeypatch.context() as patched:
            patched.setattr(downloading, "fetch_file", broken)
            (first,) = await outcomes(client, tmp_path, four, download_workers=1)
        (second,) = await outcomes(client, tmp_path, four)
        assert sim.books.posts == 1
    assert isinstance(first, Unfinished)
    assert isinstance(first.error, IncompleteDownloadError)
    assert len(first.error.files) == 3
    assert isinstance(second, Saved)
    assert [file.name for file in second.files] == ["fox~1.png", "fox~2.png", "fox~3.png", "fox~4.png"]


async def test_a_sessions_pictures_carry_what_they_were_made_of(live, tmp_path):
    """Prompt, model and seed are in the file that is recorded, and a later run takes it for what it is."""
    request = ImageRequest("a fox", id="fox", model="doubao-seedream-4-0", seed=7)
    async with live(files="small", client={"validation": "off"}) as (sim, client):
        for _ in range(2):
            (outcome,) = await outcomes(client, tmp_path, [request], embed_metadata=True, verify="decode")
            assert isinstance(outcome, Saved)
        assert sim.books.posts == 1
    with Image.open(tmp_path / "fox.png") as image:
        assert {"prompt": "a fox", "model": request.model, "seed": "7"}.items() <= image.text.items()
