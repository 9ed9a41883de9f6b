"""``toapis report``: the gallery."""

import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from PIL import Image

from toapis_async.cli.gallery import writing

NASTY = '<script>alert(1)</script> "quoted" & {{ 7 * 7 }} </style> \x1b[31m \u202e'


class Page(HTMLParser):
    """The elements of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.addresses, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture
def run(tmp_path):
    """``run(entries)``: an output directory with a manifest of these entries."""

    def make(entries):
        base = {"status": "saved", "files": [], "task_id": None, "model": "m", "prompt": "a fox", "error": None}
        lines = [json.dumps({**base, **entry}) for entry in entries]
        (tmp_path / "manifest.jsonl").write_text("".join(f"{line}\n" for line in lines), "utf-8")
        return tmp_path

    return make


def picture(path, size=(640, 360), **more):
    """Write a picture and return its entry in a manifest."""
    Image.new("RGB", size, "teal").save(path)
    sha256 = hashlib.sha256(path.name.encode()).hexdigest()
    facts = {"bytes": path.stat().st_size, "sha256": sha256, "mime": "image/png"}
    return {"path": path.name, "width": size[0], "height": size[1], **facts, **more}


async def test_a_gallery_of_a_run(toapis, gateway, prompts, quick, tmp_path):
    """Every image of a run is on the page, with prompt, id, size and cost, and nothing comes from elsewhere."""
    out = tmp_path / "out"
    async with gateway():
        await toapis("batch", prompts(4), "-o", out, *quick)
    ended = await toapis("report", out)

    page = Page((out / "index.html").read_text("utf-8"))
    assert (ended.code, ended.lines) == (0, [str(out / "index.html")])
    assert page.tags.count("article") == 4
    for n in range(4):
        assert f"./fox-{n}.png" in page.addresses
        assert f"a fox, number {n}" in page.words
    assert "0.012 USD" in page.words
    assert all((out / address).is_file() for address in page.addresses)
    assert not any(address.startswith(("http", "//", "data:")) for address in page.addresses)
    thumbnail = next(address for address in page.addresses if address.endswith(".webp"))
    with Image.open(out / thumbnail) as image:
        assert max(image.size) <= 480


async def test_nothing_in_a_manifest_becomes_markup(toapis, run):
    """Prompts, ids, models and errors are text, whatever they hold."""
    directory = run(
        [
            {
                "id": NASTY,
                "prompt": NASTY,
                "model": NASTY,
                "status": "failed",
                "error": {"type": "E", "message": NASTY},
            },
            {
                "id": "b",
                "prompt": "good",
                "files": [{"path": "x\"onerror='a'.png", "bytes": 1, "sha256": "0" * 64, "mime": "image/png"}],
            },
        ]
    )
    assert (await toapis("report", directory)).code == 0

    text = (directory / "index.html").read_text("utf-8")
    page = Page(text)
    assert page.tags.count("script") == 1
    assert "alert(1)" not in re.sub(r"&lt;script&gt;alert\(1\)", "", text)
    assert "49" not in "".join(page.words)
    assert "./x%22onerror%3D%27a%27.png" in page.addresses


async def test_files_outside_the_directory_are_left_out(toapis, run):
    """A manifest from elsewhere cannot make the page show other files of the machine."""
    outside = {"bytes": 1, "sha256": "0" * 64, "mime": "image/png"}
    directory = run(
        [
            {"id": "a", "files": [{"path": "../../etc/passwd", **outside}]},
            {"id": "b", "files": [{"path": "/etc/passwd", **outside}]},
            {"id": "c", "files": []},
        ]
    )
    await toapis("report", directory)

    page = Page((directory / "index.html").read_text("utf-8"))
    assert not any("passwd" in address for address in page.addresses)
    assert page.tags.count("article") == 1


async def test_what_is_no_picture_costs_only_its_thumbnail(toapis, run):
    """A missing, broken or moving file is linked all the same."""
    directory = run([])
    (directory / "broken.png").write_bytes(b"\x89PNG nonsense")
    facts = {"bytes": 1, "sha256": "1" * 64}
    run(
        [
            {"id": "gone", "files": [{"path": "gone.png", **facts, "mime": "image/png"}]},
            {"id": "broken", "files": [{"path": "broken.png", **facts, "mime": "image/png"}]},
            {"id": "film", "files": [{"path": "film.mp4", **facts, "mime": "video/mp4"}]},
            {"id": "good", "files": [picture(directory / "good.png"), picture(directory / "two.png", (100, 900))]},
        ]
    )
    ended = await toapis("report", directory, "--json")

    page = Page((directory / "index.html").read_text("utf-8"))
    assert ended.document["items"] == 4
    assert page.tags.count("video") == 1
    assert len(list((directory / "index_files").iterdir())) == 2
    assert {"./gone.png", "./broken.png", "./film.mp4", "./good.png", "./two.png"} <= set(page.addresses)


async def test_the_last_entry_of_an_item_counts(toapis, run):
    """An item that failed first and was saved later is shown once, and what failed comes first."""
    directory = run(
        [
            {"id": "a", "status": "unfinished"},
            {"id": "b", "status": "saved", "cost_usd": "0.012"},
            {"id": "c", "status": "unknown"},
            {"id": "a", "status": "saved", "cost_usd": "0.5"},
            {"id": "d", "status": "failed"},
        ]
    )
    await toapis("report", directory)

    text = (directory / "index.html").read_text("utf-8")
    assert re.findall(r'data-status="(\w+)"', text) == ["failed", "unknown", "saved", "saved"]
    assert "0.512 USD" in text


async def test_many_items_take_several_pages(toapis, run, monkeypatch):
    """Pages are numbered and lead to each other."""
    monkeypatch.setattr(writing, "PER_PAGE", 10)
    directory = run([{"id": f"i{n}"} for n in range(25)])
    await toapis("report", directory)

    assert sorted(path.name for path in directory.glob("*.html")) == ["index-2.html", "index-3.html", "index.html"]
    last = Page((directory / "index-3.html").read_text("utf-8"))
    assert last.tags.count("article") == 5
    assert {"index.html", "index-2.html"} <= set(last.addresses)


async def test_a_directory_without_a_manifest(toapis, tmp_path):
    """What is no output directory is refused."""
    ended = await toapis("report", tmp_path)

    assert ended.code == 2
    assert "no manifest.jsonl" in ended.err
