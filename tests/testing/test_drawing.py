"""Pictures of the asked size and format."""

import io

import pytest
from PIL import Image

from toapis_async.testing.drawing import draw
from toapis_async.testing.gateway.pictures import Picture, seed_of


def opened(content):
    """The image, read to its last pixel."""
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("number", range(4))
def test_drawn_pictures_are_valid_and_of_their_size(form, number):
    """Whatever the motif, and a realistic length for their size."""
    picture = Picture(f"a fox {number}", 640, 360, form, seed_of("a fox", number), "tsk_img_1 0")

    content = draw(picture)
    image = opened(content)

    assert (image.format, image.size) == (form.upper(), (640, 360))
    assert len(content) > 8_000
    assert content == draw(picture)


def test_prompts_and_seeds_make_different_pictures():
    """A person can tell them apart, and so can a checksum."""
    pictures = {draw(Picture(prompt, 320, 320, "png", seed_of(prompt, n))) for prompt in ("cat", "dog") for n in (0, 1)}

    assert len(pictures) == 4


@pytest.mark.parametrize("prompt", ["", "空山新雨后", "x" * 3000, "word " * 400, "line\nbreak\ttab", "🦊 fox"])
def test_any_prompt_can_be_drawn(prompt):
    """Long, empty, and in scripts that the font does not have."""
    assert opened(draw(Picture(prompt, 256, 512, "jpeg", 5))).size == (256, 512)
