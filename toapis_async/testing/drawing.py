"""Pictures drawn from prompt and seed, so that a person can tell them apart (needs Pillow, the extra ``sim``)."""

import colorsys
import io
import math
from collections.abc import Callable
from functools import lru_cache
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from toapis_async.testing.gateway.pictures import Picture

_Colour = tuple[int, int, int]
_TILE = 256
_LONGEST_CAPTION = 220
_FIRST_UNKNOWN_LETTER = "\u0180"
_WEBP_QUALITY, _JPEG_QUALITY = 80, 88


def draw(picture: Picture) -> bytes:
    """Draw it at its full size; the same picture always has the same bytes."""
    rng = Random(picture.seed)
    size = (picture.width, picture.height)
    hue = rng.random()
    image = _sky(size, _colour(hue, 0.45, 0.95), _colour(hue + 0.12, 0.75, 0.45), rng.randrange(4))
    rng.choice(_MOTIFS)(image, hue, rng)
    image = _grain(image, rng)
    _caption(image, picture)
    return _encoded(image, picture)


def _colour(hue: float, saturation: float, value: float) -> _Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _sky(size: tuple[int, int], light: _Colour, dark: _Colour, turn: int) -> Image.Image:
    ramp = Image.linear_gradient("L").rotate((-30, 0, 30, 180)[turn], Image.Resampling.BICUBIC)
    # The middle only: turning leaves black corners.
    mask = ramp.crop((48, 48, 208, 208)).resize(size, Image.Resampling.BICUBIC)
    return Image.composite(Image.new("RGB", size, dark), Image.new("RGB", size, light), mask)


def _hills(image: Image.Image, hue: float, rng: Random) -> None:
    """A sun over ranges that darken towards the viewer."""
    width, height = image.size
    radius = min(width, height) * rng.uniform(0.10, 0.18)
    _glow(image, (width * rng.uniform(0.2, 0.8), height * rng.uniform(0.2, 0.4)), radius, _colour(hue + 0.1, 0.2, 1.0))
    pencil = ImageDraw.Draw(image)
    for layer in range(4):
        base, swing = height * (0.48 + 0.13 * layer), height * rng.uniform(0.03, 0.09)
        waves = [(rng.uniform(1, 4), rng.uniform(0, 6.3), rng.uniform(0.3, 1)) for _ in range(3)]
        ridge = [
            (x, base + swing * sum(a * math.sin(f * 6.3 * x / width + p) for f, p, a in waves))
            for x in range(0, width + 8, 8)
        ]
        pencil.polygon(
            [(0, height), *ridge, (width, height)], fill=_colour(hue + 0.5 + 0.03 * layer, 0.5, 0.7 - 0.14 * layer)
        )


def _orbs(image: Image.Image, hue: float, rng: Random) -> None:
    """Soft lights, large and small."""
    width, height = image.size
    for _ in range(9):
        centre = (width * rng.random(), height * rng.random())
        radius = min(width, height) * rng.uniform(0.05, 0.3)
        _glow(image, centre, radius, _colour(hue + rng.uniform(-0.15, 0.4), rng.uniform(0.3, 0.8), 1.0))


def _rings(image: Image.Image, hue: float, rng: Random) -> None:
    """Circles about one point, like a planet's."""
    width, height = image.size
    x, y = width * rng.uniform(0.35, 0.65), height * rng.uniform(0.3, 0.5)
    pencil = ImageDraw.Draw(image)
    step = min(width, height) * rng.uniform(0.045, 0.07)
    for ring in range(9, 0, -1):
        reach = step * ring
        fill = _colour(hue + 0.06 * ring, 0.65, 0.35 + 0.065 * (10 - ring))
        pencil.ellipse((x - reach, y - reach, x + reach, y + reach), fill=fill)


def _tiles(image: Image.Image, hue: float, rng: Random) -> None:
    """A quilt of triangles."""
    width, height = image.size
    side = min(width, height) / rng.choice((4, 5, 6))
    pencil = ImageDraw.Draw(image)
    for row in range(math.ceil(height / side)):
        for column in range(math.ceil(width / side)):
            left, top = column * side, row * side
            corners = [(left, top), (left + side, top), (left + side, top + side), (left, top + side)]
            del corners[rng.randrange(4)]
            pencil.polygon(
                corners, fill=_colour(hue + rng.uniform(-0.08, 0.25), rng.uniform(0.4, 0.8), rng.uniform(0.5, 1))
            )


_MOTIFS: tuple[Callable[[Image.Image, float, Random], None], ...] = (_hills, _orbs, _rings, _tiles)


def _glow(image: Image.Image, centre: tuple[float, float], radius: float, colour: _Colour) -> None:
    side = max(2, round(radius * 2))
    mask = _halo().resize((side, side))
    image.paste(colour, (round(centre[0] - radius), round(centre[1] - radius)), mask)


@lru_cache(maxsize=1)
def _halo() -> Image.Image:
    """Bright within, fading at the rim."""
    return Image.radial_gradient("L").point([max(0, min(255, (178 - level) * 3)) for level in range(256)])


def _grain(image: Image.Image, rng: Random) -> Image.Image:
    """A little noise: it makes the file as long as a real picture's."""
    tile = Image.frombytes("L", (_TILE, _TILE), rng.randbytes(_TILE * _TILE)).point(
        [level // 32 for level in range(256)]
    )
    noise = Image.new("L", image.size)
    for top in range(0, image.height, _TILE):
        for left in range(0, image.width, _TILE):
            noise.paste(tile, (left, top))
    return ImageChops.subtract(image, Image.merge("RGB", (noise, noise, noise)))


def _caption(image: Image.Image, picture: Picture) -> None:
    """The prompt on a dark band at the foot, and what made it."""
    width, height = image.size
    size = max(8, round(min(width, height) / 24))
    font, note = ImageFont.load_default(size), ImageFont.load_default(max(7, size * 0.55))
    lines = _wrapped(_legible(picture.prompt), font, width - 3 * size)[:4]
    deep = round(size * (1.3 * len(lines) + 2.2))
    band = image.crop((0, height - deep, width, height)).point([round(level * 0.35) for level in range(256)] * 3)
    image.paste(band, (0, height - deep))
    pencil = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        pencil.text((1.5 * size, height - deep + size * (0.6 + 1.3 * number)), line, fill="white", font=font)
    made = f"toapis simulator   {width}x{height}   seed {picture.seed:08x}   {picture.label[-10:]}"
    pencil.text((1.5 * size, height - size * 1.2), made, fill=(200, 200, 200), font=note)


def _legible(prompt: str) -> str:
    """What the built-in font can write: other scripts would be empty boxes."""
    kept = "".join(letter if letter < _FIRST_UNKNOWN_LETTER else " " for letter in prompt[:_LONGEST_CAPTION])
    return kept if kept.strip() else "(a prompt in a script that this font does not have)"


def _wrapped(text: str, font: "ImageFont.FreeTypeFont | ImageFont.ImageFont", width: float) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _encoded(image: Image.Image, picture: Picture) -> bytes:
    buffer = io.BytesIO()
    if picture.format == "jpeg":
        image.save(buffer, "JPEG", quality=_JPEG_QUALITY, comment=picture.label)
    elif picture.format == "webp":
        image.save(buffer, "WEBP", quality=_WEBP_QUALITY, method=1)
    else:
        label = PngInfo()
        label.add_text("Comment", picture.label)
        image.save(buffer, "PNG", compress_level=2, pnginfo=label)
    return buffer.getvalue()
