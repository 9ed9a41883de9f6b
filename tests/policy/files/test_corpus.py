"""Real files of every format, cut, flipped and spliced: nothing structurally broken is whole, nothing whole is broken.

What structure cannot tell is not claimed: a change inside coded pixels or film that leaves every length, mark and
checksum as it was (only PNG has checksums), a naked JPEG XL codestream's end, and a TIFF's bytes between its strips.
"""

import importlib.util
import io
import random
import shutil
import subprocess
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, features

from toapis_async.policy.files.structure import Kind, StructureCheck
from toapis_async.testing.gateway.pictures import Picture
from toapis_async.testing.gateway.small_files import small_mp4, small_picture

PLACES = 200
SIZE, FRAME, FILM = (160, 120), (80, 60), (128, 96)
TINY_EXIF = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00\x00"


def noise(size=SIZE, sigma=60):
    shades = random.Random(f"{size}{sigma}")
    return Image.frombytes(
        "RGB", size, bytes(shades.randrange(128 - sigma, 128 + sigma) for _ in range(3 * size[0] * size[1]))
    )


def drawn(kind, image=None, **options):
    stream = io.BytesIO()
    (image or noise()).save(stream, kind, **options)
    return stream.getvalue()


def animated(kind, **options):
    first, *others = (noise(FRAME, 30 + 10 * number) for number in range(4))
    return drawn(kind, first, save_all=True, append_images=others, **options)


def with_thumbnail():
    return drawn("JPEG", exif=b"Exif\x00\x00" + drawn("JPEG", noise((40, 30))))


def boxed_jxl():
    return drawn("JXL", use_container=True)


def vector():
    head = b'<?xml version="1.0"?>\n<!-- a --><!DOCTYPE svg [<!ENTITY ns "http://n/">]>\n<svg xmlns:q="&ns;" '
    return (
        head + b'xmlns="http://www.w3.org/2000/svg" width="160px" height="120">' + b"<g><path/></g>" * 300 + b"</svg>\n"
    )


def ffmpeg():
    """The program: PyPI's imageio-ffmpeg brings one along; None without either."""
    if importlib.util.find_spec("imageio_ffmpeg"):
        import imageio_ffmpeg

        with suppress(RuntimeError):  # this platform's package brings none along
            return imageio_ffmpeg.get_ffmpeg_exe()
    return shutil.which("ffmpeg")


def filmed(extension, *options, piped=False):
    def make():
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / f"film.{extension}"
            source = [ffmpeg(), "-v", "error", "-f", "lavfi", "-i", "testsrc=s=128x96:d=1:r=12", *options]
            target = ["-f", extension, "pipe:1"] if piped else [place]
            made = subprocess.run([*source, *target], check=True, capture_output=True)
            return made.stdout if piped else place.read_bytes()

    return make


PICTURES = {
    "png": ("png", SIZE, lambda: drawn("PNG")),
    "png-palette": ("png", SIZE, lambda: drawn("PNG", noise().quantize(16))),
    "apng": ("png", FRAME, lambda: animated("PNG")),
    "jpeg": ("jpg", SIZE, lambda: drawn("JPEG")),
    "jpeg-progressive": ("jpg", SIZE, lambda: drawn("JPEG", progressive=True, quality=95)),
    "jpeg-thumbnail": ("jpg", SIZE, with_thumbnail),
    "jpeg-restarts": ("jpg", SIZE, lambda: drawn("JPEG", restart_marker_rows=1)),
    "jpeg-grey": ("jpg", SIZE, lambda: drawn("JPEG", noise().convert("L"))),
    "jpeg-four-colours": ("jpg", SIZE, lambda: drawn("JPEG", noise().convert("CMYK"))),
    "jpeg-several": ("jpg", FRAME, lambda: animated("MPO")),
    "webp": ("webp", SIZE, lambda: drawn("WEBP")),
    "webp-lossless": ("webp", SIZE, lambda: drawn("WEBP", lossless=True)),
    "webp-animated": ("webp", FRAME, lambda: animated("WEBP")),
    "webp-exif": ("webp", SIZE, lambda: drawn("WEBP", exif=TINY_EXIF)),
    "gif": ("gif", SIZE, lambda: drawn("GIF")),
    "gif-animated": ("gif", FRAME, lambda: animated("GIF")),
    "svg": ("svg", SIZE, vector),
    "tiff": ("tif", SIZE, lambda: drawn("TIFF")),
    "tiff-packed": ("tif", SIZE, lambda: drawn("TIFF", compression="tiff_lzw")),
    "bmp": ("bmp", SIZE, lambda: drawn("BMP")),
}
AVIFS = {
    "avif": ("avif", SIZE, lambda: drawn("AVIF")),
    "avif-animated": ("avif", FRAME, lambda: animated("AVIF")),
}
PLUGGED = {
    "heic": ("heic", SIZE, lambda: drawn("HEIF")),
    "jxl": ("jxl", SIZE, lambda: drawn("JXL")),
    "jxl-boxed": ("jxl", SIZE, boxed_jxl),
    "jxl-parts": ("jxl", SIZE, lambda: drawn("JXL", exif=TINY_EXIF)),
}
FILMS = {
    "mp4": ("mp4", FILM, filmed("mp4")),
    "mp4-index-first": ("mp4", FILM, filmed("mp4", "-movflags", "+faststart")),
    "mp4-fragments": ("mp4", FILM, filmed("mp4", "-movflags", "frag_keyframe+empty_moov", piped=True)),
    "mp4-dash": ("mp4", FILM, filmed("mp4", "-movflags", "dash")),
    "mov": ("mov", FILM, filmed("mov")),
    "webm": ("webm", FILM, filmed("webm")),
    "webm-live": ("webm", FILM, filmed("webm", "-live", "1", piped=True)),
    "mkv": ("mkv", FILM, filmed("matroska", piped=True)),
}
SAMPLES = PICTURES | AVIFS | PLUGGED | FILMS


def _marked(name):
    if name in AVIFS:
        return pytest.param(
            name, marks=pytest.mark.skipif(not features.check("avif"), reason="this Pillow draws no AVIF")
        )
    if name in PLUGGED:
        missing = not (importlib.util.find_spec("pillow_heif") and importlib.util.find_spec("pillow_jxl"))
        reason = "needs pillow-heif and pillow-jxl-plugin"
        return pytest.param(name, marks=[pytest.mark.pillow_plugins, pytest.mark.skipif(missing, reason=reason)])
    if name in FILMS:
        skip = pytest.mark.skipif(ffmpeg() is None, reason="needs ffmpeg, or imageio-ffmpeg, which brings it along")
        return pytest.param(name, marks=[pytest.mark.ffmpeg, skip])
    return name


@cache
def sample(name):
    if name in PLUGGED:
        import pillow_heif
        import pillow_jxl  # noqa: F401 - registers itself

        pillow_heif.register_heif_opener()
    return SAMPLES[name][2]()


def each(names):
    return pytest.mark.parametrize("name", [_marked(name) for name in names])


def check(data, chunk_bytes=65_536):
    structure = StructureCheck()
    for start in range(0, len(data), chunk_bytes):
        structure.feed(data[start : start + chunk_bytes])
    structure.finish()
    return structure


def accepted(damaged):
    """Which of these files, by their place, pass for whole."""
    return [place for place, data in damaged if check(data).flaw is None]


def places(data, dice, first=1):
    return sorted(dice.sample(range(first, len(data)), min(PLACES, len(data) - first)))


@each(SAMPLES)
@pytest.mark.parametrize("chunk_bytes", [1, 7, 65_536])
def test_whole_files_are_whole(name, chunk_bytes):
    """What encoders made is whole, is told by its name, and measured."""
    structure = check(sample(name), chunk_bytes)

    assert structure.flaw is None
    assert SAMPLES[name][:2] == (structure.signature.extension, structure.size_px)


@pytest.mark.parametrize("form", ["png", "jpeg", "webp", "svg", "mp4"])
@pytest.mark.parametrize("about_bytes", [100, 20_000, 200_000])
def test_files_of_the_simulator_are_whole(form, about_bytes):
    """What costs nothing to make is no less of a file."""
    picture = Picture("a <fox> & é", 640, 360, form, 9, "tsk_img_1 0")
    data = small_mp4("tsk_vid_1", 9, about_bytes) if form == "mp4" else small_picture(picture, about_bytes)

    assert check(data).flaw is None


@each(sorted(set(SAMPLES) - {"svg", "tiff", "tiff-packed", "jxl"}))
def test_padding_behind_a_file_is_tolerated(name):
    """Zeros behind the end, which some writers leave, break nothing; where lengths are unknown they are no element."""
    live = name in {"webm-live", "mkv", "webm"}

    assert (check(sample(name) + bytes(40)).flaw is None) is not live


@each(sorted(set(SAMPLES) - {"jxl", "tiff", "tiff-packed"}))
def test_foreign_bytes_behind_a_file_are_refused(name):
    """A page glued to the end of a file is no part of it."""
    flaw = check(sample(name) + b"<html>Bad gateway</html>").flaw

    assert flaw is not None
    assert flaw.kind is not Kind.FOREIGN


@each(sorted(set(SAMPLES) - {"jxl"}))
def test_cut_files_are_not_whole(name):
    """Cut at 200 places, and just before the end, no file passes."""
    data, dice = sample(name), random.Random(1)
    last = len(data.rstrip(b"\n")) - 1
    # Films in fragments end with an index for seeking, which may be missing; zeros of its length look like padding.
    index = data.find(b"mfra") - 4
    cuts = [place for place in [*places(data[:last], dice), last] if not index <= place < index + 4]

    assert accepted((place, data[:place]) for place in cuts) == []


@each(["png", "png-palette", "apng"])
def test_any_flip_is_found_where_there_are_checksums(name):
    """One bit at 200 places of a PNG."""
    data, dice = sample(name), random.Random(2)

    assert accepted((place, flipped(data, place, 1 << dice.randrange(8))) for place in places(data, dice, 0)) == []


def flipped(data, place, bits):
    return data[:place] + bytes([data[place] ^ bits]) + data[place + 1 :]


def lengths(data, extension):
    """Where the lengths are that a file declares: by a reader of its own, that knows no more than that."""
    at, found = {"webp": 12, "jpg": 2}.get(extension, 0), []
    match extension:
        case "webp":
            found = [4, 5, 6, 7]
            while at < len(data):
                found += range(at + 4, at + 8)
                at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
                at += at % 2
        case "jpg":
            while data[at + 1] != 0xDA:
                found += [at + 2, at + 3]
                at += 2 + int.from_bytes(data[at + 2 : at + 4])
        case "webm" | "mkv":
            segment = data.index(b"\x18\x53\x80\x67")
            if data[segment + 4 : segment + 12] != b"\x01" + b"\xff" * 7:
                found += range(segment + 4, segment + 12)
            tracks = data.rindex(b"\x16\x54\xae\x6b")
            found += range(tracks, tracks + 5)
        case "bmp":
            found = [2, 3, 4]
        case _:
            while at < len(data):
                found += range(at, at + 4)
                at += int.from_bytes(data[at : at + 4])
    return found


def takes_in_an_empty_box(data, place, changed):
    longer = changed[place] - data[place] == 8
    end = place - 3 + int.from_bytes(data[place - 3 : place + 1])
    return longer and data[end : end + 4] == b"\0\0\0\x08"


LENGTHS = [
    name for name in SAMPLES if SAMPLES[name][0] in {"webp", "jpg", "webm", "mkv", "mp4", "mov", "avif", "heic", "bmp"}
]


@each([*LENGTHS, "jxl-boxed", "jxl-parts"])
def test_flipped_lengths_are_found(name):
    """Every bit of every length that a file declares for its parts, but for 8 more: those just take in an empty box."""
    data = sample(name)
    damaged = [(place, flipped(data, place, 1 << bit)) for place in lengths(data, SAMPLES[name][0]) for bit in range(8)]
    damaged = [(place, changed) for place, changed in damaged if not takes_in_an_empty_box(data, place, changed)]

    assert accepted(damaged) == []


SPLICED = sorted(
    set(SAMPLES) - {"jxl", "tiff", "tiff-packed"} - {name for name in SAMPLES if SAMPLES[name][0] in {"jpg", "gif"}}
)


@each(SPLICED)
def test_spliced_files_are_not_whole(name):
    """Bytes taken out, put in, or doubled at 200 places are found, where lengths lead from part to part."""
    data, dice = sample(name), random.Random(3)
    damaged = []
    for place in places(data[:-64], dice, 12):
        count = 16 + dice.randrange(32)  # shorter than any box at the top: to take one out as a whole may break nothing
        if name != "svg":
            damaged.append((place, data[:place] + data[place + count :]))
            damaged.append((place, data[:place] + data[place - 8 :]))
        damaged.append((place, data[:place] + dice.randbytes(count) + data[place:]))

    assert accepted(damaged) == []


@each(sorted(set(SAMPLES) - {"jxl", "tiff", "tiff-packed"}))
def test_random_bytes_between_beginning_and_end_are_not_whole(name):
    """A good signature and a good end make no file."""
    data, dice = sample(name), random.Random(4)
    middle = len(data) - 64 - 12

    assert accepted((seed, data[:12] + dice.randbytes(middle) + data[-64:]) for seed in range(PLACES)) == []


@each(["jpeg", "jpeg-progressive", "jpeg-thumbnail", "jpeg-several"])
def test_damage_before_the_pixels_of_a_jpeg_is_found(name):
    """Bytes taken out or put in at every place between the signature and the first scan."""
    data, dice = sample(name), random.Random(5)
    scan = data.rindex(b"\xff\xda") if name == "jpeg-thumbnail" else data.index(b"\xff\xda")
    damaged = [(place, data[:place] + data[place + 40 :]) for place in range(2, scan - 40)]
    damaged += [(place, data[:place] + dice.randbytes(40) + data[place:]) for place in range(2, scan)]

    assert accepted(damaged) == []


@each(sorted(SAMPLES))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data())
def test_the_verdict_does_not_depend_on_the_chunks(name, draw):
    """However a file is divided, whole or damaged, flaw, format and size are the same."""
    data = sample(name)
    place = draw.draw(st.integers(0, len(data) - 1))
    damaged = draw.draw(st.sampled_from([data, data[:place], flipped(data, place, 0x10), data[:place] + data]))
    structure, at = StructureCheck(), 0
    for length in draw.draw(st.lists(st.integers(1, 300), max_size=40)):
        structure.feed(damaged[at : at + length])
        at += length
    structure.feed(damaged[at:])
    structure.finish()
    whole = check(damaged, len(damaged) or 1)

    assert (whole.flaw, whole.signature, whole.size_px) == (structure.flaw, structure.signature, structure.size_px)
