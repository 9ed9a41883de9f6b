"""``toapis report``: the gallery."""

import hashlib
import json
import os
import signal
import stat
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from html.parser import HTMLParser

import pytest
from PIL import Image

from toapis_async.cli.gallery import thumbnails
from toapis_async.testing import Constant, Fail, Fault
from toapis_async.values.files import SavedFile

NASTY = '<script>alert(1)</script> "quoted" & {{ 7 * 7 }} {{data}} </style> <!-- \x1b[31m \u202e \u2028 \ud800'


class Page(HTMLParser):
    """The elements of a page, and the data in it."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.texts, self.addresses = [("", None)], [""], []
        self.feed(path.read_text("utf-8"))
        self.data = json.loads(self.texts[self.tags.index(("script", "data"))])

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs).get("id")))
        self.texts.append("")
        self.addresses += [value for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data):
        self.texts[-1] += data

    @property
    def files(self):
        """All files of all items."""
        return [file for item in self.data["items"] for file in item.get("files", [])]


@pytest.fixture
def run(tmp_path):
    """``run(entries)``: an output directory with a manifest of these entries."""

    def make(entries):
        base = {"status": "saved", "files": [], "task_id": None, "model": "m", "prompt": "a fox", "error": None}
        lines = [entry if isinstance(entry, str) else json.dumps({**base, **entry}) for entry in entries]
        (tmp_path / "manifest.jsonl").write_text("".join(f"{line}\n" for line in lines), "utf-8")
        return tmp_path

    return make


def picture(path, size=(640, 360), **more):
    """Write a picture and return its entry in a manifest."""
    Image.new("RGB", size, "teal").save(path)
    sha256 = hashlib.sha256(path.name.encode()).hexdigest()
    facts = {"bytes": path.stat().st_size, "sha256": sha256, "mime": "image/png"}
    return {"path": path.name, "width": size[0], "height": size[1], **facts, **more}


def unseen(path, **more):
    """Return the entry of a file that is not looked at."""
    return {"path": path, "bytes": 1, "sha256": "0" * 64, "mime": "image/png", **more}


def saved(name, sha256):
    """Return a picture as a manifest that was read back has it."""
    return SavedFile(uri=name, bytes=1, sha256=sha256, mime="image/png")


async def test_a_gallery_of_a_run(toapis, gateway, prompts, quick, tmp_path):
    """Every image of a run is on the page, with what was asked for and its cost, and nothing is from elsewhere."""
    out = tmp_path / "out"
    async with gateway():
        await toapis("batch", prompts(4, size="16:9"), "-o", out, *quick)
    ended = await toapis("report", out)

    page = Page(out / "index.html")
    assert (ended.code, ended.lines) == (0, [str(out / "index.html")])
    assert page.addresses == []
    items = {item["id"]: item for item in page.data["items"]}
    assert sorted(items) == [f"fox-{n}" for n in range(4)]
    fox = items["fox-2"]
    assert (fox["prompt"], fox["size"], fox["cost"]) == ("a fox, number 2", "16:9", 0.012)
    assert fox["looks"] >= 1
    assert fox["submitted"] <= fox["accepted"] <= fox["ended"]
    for file in page.files:
        assert (out / file["path"]).is_file()
        with Image.open(out / file["thumbnail"]) as image:
            assert max(image.size) <= thumbnails.LONG_SIDE


async def test_nothing_in_a_manifest_becomes_markup(toapis, run):
    """Prompts, ids, models and errors are text, whatever they hold."""
    error = {"type": NASTY, "message": NASTY}
    directory = run(
        [
            {"id": NASTY, "prompt": NASTY, "model": NASTY, "status": "failed", "error": error, "task_id": NASTY},
            {"id": "b", "prompt": "good", "files": [unseen("x\"onerror='a'.png")]},
        ]
    )
    assert (await toapis("report", directory)).code == 0

    page = Page(directory / "index.html")
    assert [tag for tag in page.tags if tag[0] == "script"] == [("script", "data"), ("script", None)]
    failed, good = page.data["items"]
    assert failed["id"] == failed["prompt"] == failed["model"] == failed["error"] == NASTY
    assert good["files"][0]["path"] == "./x%22onerror%3D%27a%27.png"
    raw = (
        (directory / "index.html").read_text("utf-8").partition('type="application/json">')[2].partition("</script>")[0]
    )
    assert not set(raw) & set("<>&\u2028\u2029")


async def test_a_command_names_its_reason_safely(toapis, run, tmp_path):
    """The command beside a group of failures can be pasted: nothing of an error is in it."""
    error = {"type": "$(touch hacked); `ls`\n", "message": "'; rm -rf ~ #"}
    directory = run([{"id": "a", "status": "failed", "error": error}, {"id": "b", "status": "unknown"}])
    await toapis("report", directory)

    commands = [reason["command"] for reason in Page(directory / "index.html").data["reasons"]]
    slug = Page(directory / "index.html").data["reasons"][0]["slug"]
    assert commands == [f"toapis resume {tmp_path} --reason {slug}", f"toapis resume {tmp_path} --resubmit-unknown"]
    assert slug.replace("-", "").isalnum()


async def test_values_that_make_no_sense_are_left_out(toapis, run):
    """A manifest from elsewhere may hold anything: what cannot be drawn is not there, and the rest is."""
    directory = run(
        [
            {"id": "a", "cost_usd": "NaN", "files": [unseen("a.png", width="9", height=-1)], "seed": {"x": 1}},
            {"id": "b", "cost_usd": "1e999", "model": ["m"], "ended_at": "2026-01-01T00:00:00", "looks": "many"},
            {"id": "c", "cost_usd": "0.5", "submitted_at": "2026-01-01T00:00:00Z", "files": [unseen("c\0.png")]},
            {"id": "d", "ended_at": "0001-01-01T00:00:00+14:00", "error": {"type": 5, "message": None}},
            '{"id": "e", "status": "saved", "files": [{"path": "e.png", "bytes": Infinity, "sha256": "", "mime": ""}]}',
            "[" * 100_000,
        ]
    )
    ended = await toapis("report", directory, "--json")

    assert (ended.code, ended.document["items"]) == (0, 4)
    a, b, c, d = Page(directory / "index.html").data["items"]
    assert not {"cost", "width", "height"} & set(a) | set(a["files"][0]) & {"width", "height"}
    assert (b["model"], b["ended"], "looks" in b, "cost" in b) == ("['m']", 1_767_225_600, False, False)
    assert (c["cost"], c["files"][0]["missing"]) == (0.5, True)
    assert "prompt" in d


async def test_files_outside_the_directory_are_left_out(toapis, run):
    """A manifest from elsewhere cannot make the page show other files of the machine."""
    directory = run(
        [
            {"id": "a", "files": [unseen("../../etc/passwd")]},
            {"id": "b", "files": [unseen("/etc/passwd")]},
            {"id": "c", "files": []},
        ]
    )
    await toapis("report", directory)

    assert [item["id"] for item in Page(directory / "index.html").data["items"]] == ["c"]


async def test_links_are_not_followed(toapis, run, tmp_path_factory):
    """A symbolic link in the directory shows nobody's picture, and none of ours is written through one."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    private = picture(elsewhere / "private.png")
    directory = run([{"id": "a", "files": [private]}, {"id": "b", "files": [{**private, "path": "sub/private.png"}]}])
    (directory / "private.png").symlink_to(elsewhere / "private.png")
    (directory / "sub").symlink_to(elsewhere)
    (elsewhere / "target.html").write_text("mine")
    (directory / "index.html").symlink_to(elsewhere / "target.html")
    await toapis("report", directory)

    assert not any("thumbnail" in file for file in Page(directory / "index.html").files)
    assert (elsewhere / "target.html").read_text() == "mine"
    assert not (directory / "index.html").is_symlink()

    (directory / "index_files").rmdir()
    (directory / "index_files").symlink_to(elsewhere)
    refused = await toapis("report", directory)
    assert (refused.code, "symbolic link" in refused.err) == (5, True)
    assert sorted(path.name for path in elsewhere.iterdir()) == ["private.png", "target.html"]


async def test_only_its_owner_reads_it(toapis, run):
    """Prompts are private: page and thumbnails are their owner's, whatever the umask says."""
    directory = run([])
    run([{"id": "a", "files": [picture(directory / "a.png")]}])
    before = os.umask(0)
    try:
        await toapis("report", directory)
    finally:
        os.umask(before)

    ours = [directory / "index.html", *(directory / "index_files").iterdir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in ours} == {0o600}
    assert stat.S_IMODE((directory / "index_files").stat().st_mode) == 0o700


async def test_what_is_no_picture_costs_only_its_thumbnail(toapis, run):
    """A missing, broken or moving file is listed all the same, and a pipe holds nothing up."""
    directory = run([])
    (directory / "broken.png").write_bytes(b"\x89PNG nonsense")
    os.mkfifo(directory / "pipe.png")
    facts = {"bytes": 1, "mime": "image/png"}
    run(
        [
            {"id": "gone", "files": [{"path": "gone.png", **facts, "sha256": "1" * 64}]},
            {"id": "broken", "files": [{"path": "broken.png", **facts, "sha256": "2" * 64}]},
            {"id": "pipe", "files": [{"path": "pipe.png", **facts, "sha256": "4" * 64}]},
            {"id": "film", "files": [{"path": "film.mp4", **facts, "sha256": "3" * 64, "mime": "video/mp4"}]},
            {"id": "good", "files": [picture(directory / "good.png"), picture(directory / "two.png", (100, 900))]},
        ]
    )
    ended = await toapis("report", directory, "--json")

    files = {file["name"]: file for file in Page(directory / "index.html").files}
    assert ended.document["items"] == 5
    assert {name for name, file in files.items() if "thumbnail" in file} == {"good.png", "two.png"}
    assert {name for name, file in files.items() if "missing" in file} == {"gone.png", "pipe.png", "film.mp4"}
    assert files["film.mp4"]["video"]
    assert len(list((directory / "index_files").iterdir())) == 2


async def test_a_picture_with_too_many_pixels_is_not_decoded(toapis, run, monkeypatch):
    """A small file that says it unfolds to gigabytes is left alone."""
    directory = run([])
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    (directory / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    run([{"id": "a", "files": [unseen("bomb.png")]}, {"id": "b", "files": [picture(directory / "b.png", (90, 90))]}])
    monkeypatch.setattr(thumbnails, "MOST_PIXELS", 8000)
    await toapis("report", directory)

    assert not any("thumbnail" in file for file in Page(directory / "index.html").files)


async def test_only_what_changed_is_drawn(run, monkeypatch):
    """A thumbnail is drawn once, and again when its picture is newer."""
    directory = run([])
    files = [saved(name, name[0] * 64) for name in ("a.png", "b.png", "b.png")]
    for name in ("a.png", "b.png"):
        picture(directory / name)
    drawn = []
    draw = thumbnails.draw_thumbnail

    def noted(place, file):
        drawn.append(file.path.name)
        return draw(place, file)

    monkeypatch.setattr(thumbnails, "draw_thumbnail", noted)

    first = dict(thumbnails.make_thumbnails(directory, files))
    again = dict(thumbnails.make_thumbnails(directory, files))
    later = (directory / "b.png").stat().st_mtime_ns + 10**10
    os.utime(directory / "b.png", ns=(later, later))
    list(thumbnails.make_thumbnails(directory, files))

    assert first == again
    assert drawn == ["a.png", "b.png", "b.png"]


async def test_processes_draw_what_one_draws(run):
    """Many pictures are drawn by several processes, with the same result, broken ones among them."""
    directory = run([])
    entries = [picture(directory / f"{number}.png", (40 + number, 30)) for number in range(30)]
    files = [saved(entry["path"], entry["sha256"]) for entry in entries]
    (directory / "7.png").write_bytes(b"no picture")

    made = dict(thumbnails.make_thumbnails(directory, files, processes=2))

    assert [made[file.sha256] is None for file in files] == [number == 7 for number in range(30)]
    with Image.open(directory / made[files[12].sha256]) as image:
        assert image.size == (52, 30)


async def test_a_process_that_dies_costs_only_thumbnails(run, monkeypatch):
    """When the system kills a process, what is not drawn yet goes without, and nothing waits."""

    class Dying(ThreadPoolExecutor):
        def __init__(self, processes, **_):
            super().__init__(processes)

        def map(self, draw, *columns, **_):
            yield True
            raise BrokenProcessPool

    directory = run([])
    files = [saved(f"{number}.png", f"{number:064}"[::-1]) for number in range(10, 50)]
    monkeypatch.setattr(thumbnails, "ProcessPoolExecutor", Dying)

    made = list(thumbnails.make_thumbnails(directory, files, processes=4))

    assert [address is not None for _, address in made] == [True] + [False] * 39


async def test_the_last_entry_of_an_item_counts(toapis, run):
    """An item that failed first and was saved later is there once."""
    directory = run(
        [
            {"id": "a", "status": "unfinished"},
            {"id": "b", "status": "saved", "cost_usd": "0.012"},
            {"id": "a", "status": "saved", "cost_usd": "0.5"},
            {"id": "d", "status": "failed"},
        ]
    )
    await toapis("report", directory)

    items = Page(directory / "index.html").data["items"]
    assert [(item["id"], item["status"], item.get("cost")) for item in items] == [
        ("b", "saved", 0.012),
        ("a", "saved", 0.5),
        ("d", "failed", None),
    ]


async def test_failures_are_grouped_and_made_again_by_reason(toapis, gateway, prompts, quick, tmp_path):
    """The command beside a group makes just that group again, and sends nothing else."""
    out = tmp_path / "out"
    lines = [
        json.dumps({"prompt": f"{word} {n}", "id": f"{word}-{n}"})
        for n in range(3)
        for word in ("calm", "dark", "wild")
    ]
    faults = [
        Fault(where="task", what=Fail(code="upstream_error", message="the model gave up"), match="dark"),
        Fault(where="task", what=Fail(code="content_policy", message="refused"), match="wild"),
    ]
    async with gateway(faults=faults):
        await toapis("batch", prompts(lines), "-o", out, *quick)
    await toapis("report", out)
    reasons = {reason["detail"]: reason for reason in Page(out / "index.html").data["reasons"]}
    assert set(reasons) == {"[upstream_error] the model gave up", "[content_policy] refused"}

    async with gateway() as sim:
        command = reasons["[content_policy] refused"]["command"].split()
        ended = await toapis(*command[1:], "--base-url", sim.base_url, "--json")
        assert ended.code == 0, ended.err
        assert sim.books.accepted == 3
    refused = await toapis("resume", out, "--reason", "no-such")

    last = {line["id"]: line["status"] for line in map(json.loads, (out / "manifest.jsonl").read_text().splitlines())}
    assert {key for key, status in last.items() if status == "failed"} == {f"dark-{n}" for n in range(3)}
    assert refused.code == 2
    assert "task-failed-" in refused.err


async def test_watching_ends_with_the_run(toapis, start, gateway, prompts, quick, tmp_path):
    """``--watch`` writes while the run goes on, and ends by itself with all of it on a page that follows no more."""
    out = tmp_path / "out"
    out.mkdir()
    async with gateway(latency=Constant(0.4)):
        watching = await start("report", out, "--watch", "--json")
        await watching.until((out / "index_files" / "pulse.js").exists)
        run = await start("batch", prompts(24), "-o", out, "--max-concurrency", 2, *quick)
        await watching.until(lambda: "fox-1" in (out / "index_files" / "data.js").read_text("utf-8"))
        assert "toapisPulse({" in (out / "index_files" / "pulse.js").read_text("utf-8")
        assert (await run.ended()).code == 0
        ended = await watching.ended()

    page = Page(out / "index.html")
    assert (ended.code, json.loads(ended.out)["items"]) == (0, 24)
    assert (page.data["live"], len(page.data["items"])) == (False, 24)
    assert (await toapis("report", out)).code == 0
    assert not (out / "index_files" / "data.js").exists()


async def test_watching_ends_when_told(start, run):
    """Ctrl-C ends the watching with a whole page and exit code 0."""
    directory = run([{"id": "a"}])
    watching = await start("report", directory, "--watch")
    await watching.until((directory / "index_files" / "pulse.js").exists)
    watching.signal(signal.SIGINT)
    ended = await watching.ended()

    assert (ended.code, ended.lines) == (0, [str(directory / "index.html")])
    assert Page(directory / "index.html").data["live"] is False


async def test_a_directory_without_a_manifest(toapis, tmp_path):
    """What is no output directory is refused."""
    ended = await toapis("report", tmp_path)
    watched = await toapis("report", tmp_path / "none", "--watch")

    assert (ended.code, watched.code) == (2, 2)
    assert "no manifest.jsonl" in ended.err
