"""Reference files and addresses."""

from pathlib import Path

import pytest

from toapis_async.policy.requests.references import (
    check_reference_bytes,
    check_video_bytes,
    is_address,
    wrong_reference,
)

JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 20
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
WEBP = b"RIFF\0\0\0\0WEBPVP8 " + b"\0" * 20
GIF = b"GIF89a" + b"\0" * 20
MP4 = b"\0\0\0\x18ftypisom" + b"\0" * 20
MOV = b"\0\0\0\x14ftypqt  " + b"\0" * 20


@pytest.mark.parametrize("text", ["https://a.example/x.png", "HTTP://a.example/x.png", "asset://pa_01"])
def test_addresses(text):
    """The gateway fetches these itself."""
    assert is_address(text)


@pytest.mark.parametrize(
    "reference", ["a.png", "C:\\a.png", "/https://x", "https.png", Path("a.png"), b"https://a", None]
)
def test_files(reference):
    """All else is a file."""
    assert not is_address(reference)


@pytest.mark.parametrize("data", [JPEG, PNG, WEBP, GIF])
def test_image_that_the_gateway_takes(data):
    """JPEG, PNG, WebP and GIF, by their first bytes."""
    assert check_reference_bytes(data, "a") is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"<html>", "no JPEG, PNG, WebP or GIF"),
        (MP4, "no JPEG, PNG, WebP or GIF"),
        (PNG + b"\0" * 10_000_000, "10,000,028 bytes"),
    ],
)
def test_image_that_the_gateway_does_not_take(data, words):
    """The sentence names the file and what is allowed."""
    sentence = check_reference_bytes(data, "cat.png")

    assert sentence.startswith("cat.png ")
    assert words in sentence


def test_ten_million_bytes_are_taken():
    """The limit itself is allowed."""
    assert check_reference_bytes(PNG.ljust(10_000_000, b"\0"), "a") is None


@pytest.mark.parametrize(
    ("data", "good"), [(MP4, True), (MOV, True), (PNG, False), (b"", False), (MP4.ljust(50_000_001, b"\0"), False)]
)
def test_video_files(data, good):
    """MP4, WebM and MOV up to 50 MB."""
    assert good is (check_video_bytes(data, "clip") is None)


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("data:image/png;base64,AAAA", "base64"),
        ("iVBORw0KGgo" + "A" * 200, "base64"),
        ("/9j/" + "A" * 200, "base64"),
        ("file:///tmp/a.png", "scheme"),
        ("ftp://a.example/a.png", "scheme"),
        ("https://", "no address"),
        ("https://a.example/a b.png", "no address"),
        ("https://[bad", "no address"),
        ("https://a.example:99999/x", "no address"),
        ("http://localhost:8000/a.png", "local network"),
        ("https://127.0.0.1/a.png", "local network"),
        ("https://[::1]/a.png", "local network"),
        ("https://192.168.1.7/a.png", "local network"),
        ("https://nas.local/a.png", "local network"),
        ("https://169.254.169.254/a", "local network"),
    ],
)
def test_reference_that_cannot_work(reference, words):
    """What the gateway cannot fetch or refuses is told before anything is sent."""
    sentence = wrong_reference(reference, "reference_images[0]")

    assert sentence.startswith("reference_images[0]")
    assert words in sentence


@pytest.mark.parametrize(
    "reference",
    ["a.png", "C:\\pictures\\a.png", "./x/https.png", Path("a"), "https://8.8.8.8/a", "asset://localhost", JPEG],
)
def test_reference_that_may_work(reference):
    """Nothing is said of the rest."""
    assert wrong_reference(reference, "reference_images[0]") is None


def test_long_reference_is_cut_in_the_message():
    """An address of a thousand characters does not fill the screen."""
    sentence = wrong_reference("ftp://a.example/" + "x" * 1000, "mask")

    assert len(sentence) < 250


def test_bytes_of_a_clip_are_checked_as_a_clip():
    """A picture where a clip is wanted is told; a clip is fine."""
    assert wrong_reference(MP4, "reference_videos[0]") is None
    assert "no MP4" in wrong_reference(PNG, "reference_videos[0]")
    assert wrong_reference(b"ID3 anything", "reference_audios[0]") is None
    assert "no JPEG" in wrong_reference(MP4, "first_frame")
