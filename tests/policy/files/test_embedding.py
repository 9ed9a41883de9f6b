"""Prompt, model and seed inside a picture."""

import io
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from toapis_async.policy.files.embedding import Provenance, with_provenance
from toapis_async.policy.files.structure import StructureCheck

FOX = Provenance(prompt="ein Fuchs 🦊\nim Schnee", model="gemini-2.5-flash", seed=7)
FACTS = {"prompt": "ein Fuchs 🦊\nim Schnee", "model": "gemini-2.5-flash", "seed": "7"}


def drawn(kind, **options):
    stream = io.BytesIO()
    frames = [Image.effect_noise((60, 40), 40 + number).convert("RGB") for number in range(3)]
    more = {"append_images": frames[1:]} if options.get("save_all") else {}
    frames[0].save(stream, kind, **options, **more)
    return stream.getvalue()


EXIF = Image.Exif()
EXIF[0x010E] = "a thumbnail's place"
PNG, JPEG = drawn("PNG"), drawn("JPEG", exif=EXIF)


def is_whole(data):
    check = StructureCheck()
    check.feed(data)
    return check.finish() is None


def told(data):
    """What a reader that is not ours finds."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return json.loads(image.info["comment"]) if image.format == "JPEG" else image.text


def pixels(data):
    return Image.open(io.BytesIO(data)).convert("RGB").tobytes()


@pytest.mark.parametrize(
    ("mime", "picture"),
    [
        ("image/png", PNG),
        ("image/png", drawn("PNG", save_all=True)),
        ("image/jpeg", JPEG),
        ("image/jpeg", drawn("JPEG", progressive=True)),
    ],
)
def test_a_picture_tells_what_it_was_made_of(mime, picture):
    """Another program reads all three, the pixels are the same, and the file is whole."""
    made = with_provenance(picture, FOX, mime=mime)

    assert told(made) == FACTS
    assert pixels(made) == pixels(picture)
    assert is_whole(made)


def test_a_jpeg_keeps_what_has_to_come_first():
    """JFIF and EXIF stay before the comment."""
    made = with_provenance(JPEG, FOX, mime="image/jpeg")

    assert made[:4] == JPEG[:4]
    assert dict(Image.open(io.BytesIO(made)).getexif()) == dict(EXIF)


def signed_png():
    """A PNG with content credentials."""
    kind = b"caBX" + b"manifest"
    return PNG[:33] + len(b"manifest").to_bytes(4) + kind + zlib.crc32(kind).to_bytes(4) + PNG[33:]


def signed_jpeg():
    """A JPEG with content credentials."""
    return JPEG[:2] + b"\xff\xeb\x00\x06JUMB" + JPEG[2:]


@pytest.mark.parametrize(
    ("mime", "picture", "provenance"),
    [
        ("image/png", signed_png(), FOX),
        ("image/jpeg", signed_jpeg(), FOX),
        ("image/jpeg", drawn("MPO", save_all=True), FOX),
        ("image/jpeg", JPEG, Provenance(prompt="x" * 65_534)),
        ("image/webp", drawn("WEBP"), FOX),
        ("video/mp4", b"", FOX),
        ("image/png", PNG, Provenance()),
    ],
)
def test_what_would_break_stays_as_it_is(mime, picture, provenance):
    """Signed files, pictures whose parts are found by distance, and other formats are left alone."""
    assert with_provenance(picture, provenance, mime=mime) is None


@given(st.builds(Provenance, prompt=st.text(max_size=200), model=st.none() | st.text(max_size=20), seed=st.integers()))
def test_any_text_goes_in(provenance):
    """NUL is left out and lone surrogates are replaced; everything else comes back as it was."""
    for mime, picture in (("image/png", PNG), ("image/jpeg", JPEG)):
        assert told(with_provenance(picture, provenance, mime=mime)) == provenance.facts


def test_lone_surrogates_and_nul():
    """What no file can hold is replaced."""
    assert Provenance(prompt="a\ud800b\0c").facts == {"prompt": "a?bc"}
