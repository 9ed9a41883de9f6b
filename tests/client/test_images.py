"""``client.images``: requests from loose fields, references, edits."""

import asyncio

import pytest

from toapis_async import ImageRequest, InvalidRequestError
from toapis_async.client.images import image_request
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
