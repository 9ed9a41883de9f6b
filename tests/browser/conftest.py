"""A real Chromium, and galleries to show in it. Skipped where there is none."""

import asyncio
import hashlib
import json
import os
import random
import shutil
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from toapis_async.cli.gallery.writing import Gallery
from toapis_async.cli.terminal.streams import Terminal
from toapis_async.clock import SystemClock
from toapis_async.storage.manifest.manifest import read_manifest
from toapis_async.testing.drawing import draw
from toapis_async.testing.gateway.pictures import Picture

HOW = "needs Chromium and playwright: apt-get install chromium && pip install 'toapis-async[browser]'"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
SWITCHES = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--force-color-profile=srgb",
)  # fmt: skip

HOSTILE = (
    "</script><script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 2">',
    "<!--<script>",
    "\u202egnp.exe\u202c and \u2066left open",
    "ثعلب أحمر في الثلج، foto 4K (v2)",
    "a fox \u2028 and \u2029 its lines\nand\ttabs \x1b[31m \x00",
    "${alert(1)} {{7*7}} {{data}} `x`",
    "javascript:window.hacked=3",
    "🦊" * 40,
    "longwordwithoutanyspace" * 30,
    "__proto__",
    "一只红色的狐狸在雪地里，水彩画风格",
    '=HYPERLINK("http://example.invalid","x")',
)
_SUBJECTS = (
    "a red fox in the snow",
    "a lighthouse at dusk",
    "a cup of coffee by the window",
    "a paper crane",
    "an old map",
)
_STYLES = (
    "watercolour",
    "35 mm film, soft light",
    "flat poster, two colours",
    "isometric, pastel",
    "charcoal on paper",
)
_SIZES = ((1024, 1024), (1280, 720), (720, 1280), (1152, 864), (864, 1152))
_MODELS = ("gemini-2.5-flash-image-preview", "gpt-image-1.5", "seedream-4-5")
_ERRORS = (
    ("TaskFailedError", "Task {} (m) failed: [content_policy] the prompt was refused\nReword the prompt."),
    ("TaskFailedError", "Task {} (m) failed: [upstream_error] the model gave up after 120 s\nTry it as a new task."),
    ("ContentPolicyError", "The submission: HTTP 422 [policy] refused, request {}"),
    ("<img src=x onerror=alert(1)>", "</script><script>window.hacked = 4</script> {}"),
)  # fmt: skip


def entry(number, rng, pictures):
    """An entry of a manifest: one in twenty was not made."""
    base = 1_790_000_000 + number * 1.7 + rng.random()
    took = rng.lognormvariate(2.6 + number % 3 * 0.4, 0.35)
    hostile = HOSTILE[number % len(HOSTILE)] if number % 5 == 0 else ""
    prompt = f"{rng.choice(_SUBJECTS)}, {rng.choice(_STYLES)}, number {number}" + (f" {hostile}" if hostile else "")
    line = {
        "id": f"row-{number:05d}" + (hostile[:24] if number % 15 == 0 else ""),
        "status": "saved",
        "files": [],
        "task_id": f"task_{number:08x}",
        "model": hostile if hostile and number % 100 == 0 else _MODELS[number % 3],
        "prompt": prompt,
        "size": "1:1",
        "seed": rng.randrange(10**6),
        "looks": min(9, int(rng.lognormvariate(1, 0.5)) + 1),
        "cost_usd": str(round(rng.choice((0.012, 0.024, 0.039)), 4)),
        "submitted_at": _date(base),
        "accepted_at": _date(base + rng.random()),
        "ended_at": _date(base + took),
        "error": None,
    }
    if number % 20 == 7:
        kind, message = _ERRORS[number // 20 % len(_ERRORS)]
        status = ("failed", "failed", "failed", "unfinished", "unknown")[number // 20 % 5]
        error = {"type": kind, "message": message.format(f"task_{number:08x}")}
        return {**line, "status": status, "error": error, "cost_usd": None}
    return {**line, "files": [{**pictures[number % len(pictures)], "path": f"fox-{number:05d}.png"}]}


def _date(at):
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture(scope="session")
def run_directory(tmp_path_factory):
    """``run_directory(5000)``: an output directory with so many items; made once and copied by link."""
    stock = tmp_path_factory.mktemp("stock")
    kinds = []
    for number in range(25):
        width, height = _SIZES[number % len(_SIZES)]
        picture = Picture("", width // 2, height // 2, "png", number * 7919)
        (stock / f"{number}.png").write_bytes(draw(picture))
        size = (stock / f"{number}.png").stat().st_size
        kinds.append(
            {
                "bytes": size,
                "sha256": hashlib.sha256(b"%d" % number).hexdigest(),
                "mime": "image/png",
                "width": width // 2,
                "height": height // 2,
            }
        )

    def make(count, name=None):
        directory = tmp_path_factory.mktemp("run") / (name or f"july-{count}")
        directory.mkdir()
        rng = random.Random(7)
        entries = [entry(number, rng, kinds) for number in range(count)]
        for number, line in enumerate(entries):
            for file in line["files"]:
                os.link(stock / f"{number % len(kinds)}.png", directory / file["path"])
        (directory / "manifest.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in entries), "utf-8")
        return directory

    return make


@pytest.fixture(scope="session")
def gallery_page(run_directory):
    """``gallery_page(20)``: the page of a gallery of so many items, written once."""
    pages = {}

    def make(count):
        if count not in pages:
            pages[count] = written_page(run_directory(count))
        return pages[count]

    return make


def written_page(directory):
    """Write the gallery of a directory."""
    gallery = Gallery(directory=directory, terminal=Terminal(quiet=True), clock=SystemClock())
    return gallery.write(read_manifest(directory)).page


class Watched:
    """A page in the browser, with whatever it complained about and asked for.

    Attributes:
        page: playwright's.
        complaints: errors of the console and of the page.
        asked: the addresses of its requests.

    """

    def __init__(self, page):
        self.page, self.complaints, self.asked = page, [], []
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))

    async def show(self, path, fragment=""):
        """Load a page of the file system, and wait for its first result."""
        await self.page.goto(path.as_uri() + fragment)
        await self.page.wait_for_selector(".tile, details, .chart, .empty:not([hidden])")

    async def text(self, selector):
        """What an element says."""
        return (await self.page.text_content(selector)).strip()

    async def until(self, expression, seconds=15):
        """Wait until an expression holds in the page; its policy forbids what playwright would do by itself."""
        async with asyncio.timeout(seconds):
            while not await self.page.evaluate(expression):
                await asyncio.sleep(0.05)

    @property
    def hosts(self):
        """Requests that went anywhere but to the file system."""
        return [url for url in self.asked if not url.startswith(("file:", "blob:"))]


@pytest.fixture
def browser():
    """``async with browser(width=360) as watched``: a fresh page; it must not have complained or asked any host."""
    playwright = pytest.importorskip("playwright.async_api", reason=HOW)
    if CHROMIUM is None:
        pytest.skip(HOW)

    @asynccontextmanager
    async def begin(width=1280, height=800, **context):
        async with playwright.async_playwright() as driver:
            chromium = await driver.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
            try:
                opened = await chromium.new_context(viewport={"width": width, "height": height}, **context)
                watched = Watched(await opened.new_page())
                yield watched
            finally:
                await chromium.close()
        assert (watched.complaints, watched.hosts) == ([], [])

    return begin


@pytest.fixture
def artefacts(tmp_path):
    """Where screenshots go: ``TOAPIS_SCREENSHOTS``, else the test's own directory."""
    place = Path(os.environ.get("TOAPIS_SCREENSHOTS") or tmp_path / "screenshots")
    place.mkdir(parents=True, exist_ok=True)
    return place
