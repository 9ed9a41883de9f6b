"""Uploads: each file once, checked before it is sent."""

import asyncio
import os

import pytest

from toapis_async.client.uploads import FRESH_SECONDS, Uploads
from toapis_async.errors import InvalidRequestError, ServerError
from toapis_async.testing.gateway.pictures import Picture
from toapis_async.testing.gateway.small_files import small_mp4, small_png
from toapis_async.values.requests import ImageRequest, RoleReference, VideoRequest

PNG = small_png(Picture(prompt="fox", width=64, height=64, format="png", seed=1, label="a"), 500)
OTHER = small_png(Picture(prompt="fox", width=64, height=64, format="png", seed=2, label="b"), 500)
MP4 = small_mp4("film", 1, 500)


@pytest.fixture
def uploads(scripted_gateway, json_reply):
    """Uploads to a gateway that numbers what it takes."""

    def answer(_):
        number = len(gateway.transport.requests)
        return json_reply({"success": True, "data": {"id": f"up_{number}", "url": f"https://f.example/{number}.png"}})

    gateway = scripted_gateway(answer)
    uploads = Uploads(gateway)
    uploads.gateway = gateway
    return uploads


def sent(uploads):
    return [request.path for request in uploads.gateway.transport.requests]


async def test_the_same_bytes_go_up_once(uploads, tmp_path):
    """Bytes, a file with them and a copy of that file are one upload."""
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(PNG)
    seen = [
        await uploads.image(source) for source in (PNG, bytearray(PNG), tmp_path / "a.png", str(tmp_path / "b.png"))
    ]
    assert {"https://f.example/1.png"} == {upload.url for upload in seen}
    assert sent(uploads) == ["/uploads/images"]


async def test_different_bytes_go_up_apart(uploads, tmp_path):
    """A file that changed on the disk is uploaded again."""
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    first = await uploads.image(path)
    path.write_bytes(OTHER)
    os.utime(path, ns=(1, 1))
    assert first.url != (await uploads.image(path)).url


async def test_many_at_once_are_one_upload(scripted_gateway, json_reply):
    """Whoever comes second with the same bytes waits for the first."""

    async def answer(_):
        await gateway.clock.sleep(3)
        return json_reply({"success": True, "data": {"id": "up_1", "url": "https://f.example/1.png"}})

    gateway = scripted_gateway(answer)
    uploads = Uploads(gateway)
    seen = await asyncio.gather(*(uploads.image(PNG) for _ in range(20)))
    assert 1 == len({upload.url for upload in seen}) == len(gateway.transport.requests)


async def test_a_failed_upload_is_tried_by_the_next(scripted_gateway, json_reply):
    """An upload that failed is not remembered."""
    answers = [json_reply({"error": {"message": "boom"}}, 500)] * 4
    answers.append(json_reply({"success": True, "data": {"id": "up_1", "url": "https://f.example/1.png"}}))
    uploads = Uploads(scripted_gateway(answers))
    with pytest.raises(ServerError):
        await uploads.image(PNG)
    assert (await uploads.image(PNG)).url == "https://f.example/1.png"


async def test_an_old_upload_is_made_again(uploads):
    """Result files live a day, so a little earlier an upload is made anew."""
    await uploads.image(PNG)
    uploads.gateway.clock.advance(FRESH_SECONDS - 1)
    await uploads.image(PNG)
    assert len(sent(uploads)) == 1
    uploads.gateway.clock.advance(2)
    await uploads.image(PNG)
    assert len(sent(uploads)) == 2


async def test_a_forgotten_upload_is_made_again(uploads):
    """What the gateway has lost goes up again."""
    first = await uploads.image(PNG)
    uploads.forget(first.url)
    assert first.url != (await uploads.image(PNG)).url


async def test_what_is_no_picture_is_not_sent(uploads, tmp_path):
    """Missing, empty, too large, foreign or of a wrong type: refused before anything is sent, naming the file."""
    empty, text, large = tmp_path / "empty.png", tmp_path / "text.png", tmp_path / "large.png"
    empty.write_bytes(b"")
    text.write_text("hello")
    large.write_bytes(PNG + bytes(10_000_001))
    for source, words in [
        (tmp_path / "missing.png", "does not exist"),
        (tmp_path, "directory"),
        (empty, "empty.png"),
        (text, "text.png"),
        (large, "large.png"),
        (b"<html>", "reference"),
        (17, "int"),
        ("nul\0byte.png", "cannot be read"),
    ]:
        with pytest.raises(InvalidRequestError, match=words):
            await uploads.image(source)
    assert sent(uploads) == []


async def test_clips_have_their_own_endpoint(uploads):
    """A clip goes to the endpoint of clips, and a picture is refused there."""
    await uploads.video(MP4)
    assert sent(uploads) == ["/uploads/videos"]
    with pytest.raises(InvalidRequestError):
        await uploads.video(PNG)


async def test_a_request_gets_addresses_for_its_files(uploads, tmp_path):
    """Local references and the mask are uploaded, addresses pass through, the order stays."""
    path = tmp_path / "style.png"
    path.write_bytes(PNG)
    request = ImageRequest("a fox", reference_images=[path, "https://x.example/1.png", OTHER], mask=PNG)
    ready = await uploads.resolve(request)
    assert ready.reference_images == (
        "https://f.example/1.png",
        "https://x.example/1.png",
        "https://f.example/2.png",
    )
    assert ready.mask == "https://f.example/1.png"
    assert request.reference_images[0] is path


async def test_a_request_without_files_is_left_alone(uploads):
    """Nothing is asked for a request that has no references."""
    request = ImageRequest("a fox")
    assert await uploads.resolve(request) is request
    assert sent(uploads) == []


async def test_a_video_request_keeps_its_roles(uploads):
    """Frames, clips and references with roles are uploaded where they stand."""
    request = VideoRequest(
        "a fox runs",
        model="m",
        reference_images=[RoleReference(source=PNG, role="reference"), OTHER],
        reference_videos=[MP4],
        first_frame=PNG,
        last_frame="https://x.example/last.png",
    )
    ready = await uploads.resolve(request)
    with_role, plain = ready.reference_images
    assert (with_role.role, with_role.source) == ("reference", "https://f.example/1.png")
    assert plain == "https://f.example/2.png"
    assert ready.reference_videos == ("https://f.example/3.png",)
    assert ready.first_frame == "https://f.example/1.png"
    assert ready.last_frame == "https://x.example/last.png"
    assert len(sent(uploads)) == 3
