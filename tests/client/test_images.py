"""``client.images``: requests from loose fields, references, edits."""

import asyncio
import io
from hashlib import sha256

import pytest
from PIL import Image

from toapis_async import ConfigurationError, ContentMismatchError, ImageRequest, InvalidRequestError, TransferDone
from toapis_async.client.images import image_request
from toapis_async.testing import Fault, HtmlFile
from toapis_async.testing.gateway.pictures import Picture
from toapis_async.testing.gateway.small_files import small_png

OTHER = small_png(Picture(prompt="owl", width=64, height=64, format="png", seed=2, label="b"), 500)
PNG = small_png(Picture(prompt="fox", width=64, height=64, format="png", seed=1, label="a"), 500)


def test_fields_make_a_request():
    """Loose fields are a request, and lie over one that is given."""
    assert ImageRequest("a fox", size="16:9") == image_request(None, {"prompt": "a fox", "size": "16:9"})
    given = ImageRequest("a fox", size="1:1")
    assert image_request(given, {}) is given
    assert ImageRequest("a fox", size="16:9") == image_request(given, {"size": "16:9"})


def test_a_prompt_is_needed():
    """Neither a request nor a prompt is a mistake that is named."""
    with pytest.raises(InvalidRequestError, match="prompt is missing"):
        image_request(None, {"size": "1:1"})


async def test_generate_uploads_references(live, tmp_path):
    """Local files are uploaded once, addresses pass through, and the task is made from both."""
    path = tmp_path / "style.png"
    path.write_bytes(PNG)
    async with live() as (sim, client):
        address = (await client.uploads.image(OTHER)).url
        for _ in range(2):
            task = await client.images.generate(prompt="a fox", size="16:9", reference_images=[str(path), address, PNG])
            assert task.completed
        assert (sim.books.requests["upload"], sim.books.posts) == (2, 2)
        assert sim.books.requests["upload"] == sim.books.with_key["upload"]


async def test_an_edit_needs_a_picture(live):
    """An edit without a reference is refused before anything is sent."""
    async with live() as (sim, client):
        with pytest.raises(InvalidRequestError, match="reference_images is empty"):
            await client.images.edit(prompt="make it blue")
        assert sum(sim.books.requests.values()) == 0
        assert (await client.images.edit(prompt="make it blue", reference_images=[PNG])).completed


async def test_several_images_are_several_files(live, tmp_path):
    """A task of n images has n links, saved under numbered names."""
    async with live() as (_, client):
        task = await client.images.generate(prompt="a fox", model="gpt-image-2-official", n=3)
        files = await client.images.download(task, tmp_path)
        assert 3 == len(task.urls) == len({file.path for file in files}) == len(list(tmp_path.iterdir()))


@pytest.mark.parametrize("concurrent", [1, 5])
async def test_an_upload_that_the_gateway_has_lost_is_made_again(live, concurrent):
    """A refusal that names a lost upload leads to another one, once, and not to a failure."""
    async with live() as (sim, client):
        await client.images.generate(prompt="a fox", reference_images=[PNG])
        sim.forget_uploads()
        calls = [client.images.generate(prompt=f"owl {n}", reference_images=[PNG]) for n in range(concurrent)]
        assert all(task.completed for task in await asyncio.gather(*calls))
        assert (2, 1 + concurrent) == (sim.books.requests["upload"], sim.books.accepted)


async def test_a_foreign_address_that_is_lost_is_refused(live):
    """An address of the user's own cannot be mended by uploading, so the refusal comes out after one POST."""
    async with live() as (sim, client):
        with pytest.raises(InvalidRequestError, match="failed to fetch"):
            await client.images.generate(prompt="a fox", reference_images=[f"{sim.base_url}/uploads/1/gone.png"])
        assert sim.books.posts == 1


async def test_a_session_makes_lost_uploads_again(live, tmp_path):
    """The same in a session: every item is saved, and the upload made once more."""
    async with live() as (sim, client):
        await client.uploads.image(PNG)
        sim.forget_uploads()
        async with client.session(tmp_path) as session:
            report = await session.run(ImageRequest(f"fox {n}", reference_images=[PNG]) for n in range(6))
        assert (report.saved, sim.books.accepted, sim.books.requests["upload"]) == (6, 6, 2)


async def test_read_gives_bytes_and_touches_no_disk(live, tmp_path, monkeypatch):
    """Bytes with their facts, verified as files are, in the task's order."""
    monkeypatch.chdir(tmp_path)
    heard = []
    async with live(client={"on_event": heard.append}) as (_, client):
        task = await client.images.generate(prompt="a fox", model="gpt-image-2-official", n=3)
        files = await client.images.read(task)

        assert 3 == len(files) == sum(isinstance(event, TransferDone) for event in heard)
        assert {task.id} == {event.task_id for event in heard if isinstance(event, TransferDone)}
        for file in files:
            assert (file.sha256, "image/png") == (sha256(file.data).hexdigest(), file.mime)
            assert Image.open(io.BytesIO(file.data)).size == (file.width, file.height)
    assert list(tmp_path.iterdir()) == []


async def test_read_refuses_what_is_no_image(live):
    """A page in place of a file is an error, and no bytes."""
    page = Fault(where="file", what=HtmlFile())
    async with live(faults=[page]) as (_, client):
        task = await client.images.generate(prompt="a fox")
        with pytest.raises(ContentMismatchError):
            await client.images.read(task)


async def test_download_names_files_by_a_template(live, tmp_path):
    """The template's facts are those of the task and the file; several files have the index or a number."""
    async with live() as (_, client):
        task = await client.images.generate(prompt="a red fox", model="gpt-image-2-official", n=2)
        date = task.completed_at.date().isoformat()
        first = await client.images.download(task, tmp_path, name="{date}_{index}_{slug}", prompt="a red fox")
        second = await client.images.download(task, tmp_path, name="{model}_{size}")
        size = f"{first[0].width}x{first[0].height}"

        assert [f"{date}_1_a-red-fox.png", f"{date}_2_a-red-fox.png"] == [file.name for file in first]
        assert [f"{task.model}_{size}~1.png", f"{task.model}_{size}~2.png"] == [file.name for file in second]
        with pytest.raises(ConfigurationError):
            await client.images.download(task, tmp_path, name="{prompt}")


async def test_download_never_replaces_a_strangers_file(live, tmp_path):
    """Two tasks that a template gives one name are two files, and downloading one again adds none."""
    (tmp_path / "fox.png").write_bytes(b"MY OWN PHOTO")
    async with live() as (_, client):
        tasks = [await client.images.generate(prompt=prompt) for prompt in ("a fox", "a vixen")]
        for _ in range(2):
            names = [(await client.images.download(task, tmp_path, name="fox"))[0].name for task in tasks]
            assert names == ["fox~copy.png", "fox~copy-2.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fox.png", "fox~copy-2.png", "fox~copy.png"]
    assert (tmp_path / "fox.png").read_bytes() == b"MY OWN PHOTO"


@pytest.mark.parametrize("form", ["relative", "protocol_relative", "spaced", "data_uri", "b64_json"])
@pytest.mark.parametrize("place", ["result", "top_level", "strings", "output"])
async def test_results_in_every_form_are_saved(live, tmp_path, form, place):
    """However the gateway says where a file is, or brings it along, it is saved."""
    async with live(url_form=form, url_place=place) as (_, client):
        task = await client.images.generate(prompt="a fox")
        (file,) = await client.images.download(task, tmp_path)
        assert file.mime == "image/png"
