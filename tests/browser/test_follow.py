"""An open page that follows a run, from the file system."""

import asyncio
import json

import pytest

from toapis_async.cli.gallery.following import follow
from toapis_async.cli.gallery.writing import Gallery
from toapis_async.cli.terminal.streams import Terminal
from toapis_async.clock import SystemClock

pytestmark = [pytest.mark.browser]


async def test_a_page_follows_a_run(browser, run_directory):
    """New results appear in an open page, and search, selection, large view and place stay as they were."""
    directory = run_directory(60, "follow")
    manifest = directory / "manifest.jsonl"
    lines = manifest.read_text("utf-8").splitlines(keepends=True)
    manifest.write_text("".join(lines[:30]), "utf-8")
    gallery = Gallery(directory=directory, terminal=Terminal(quiet=True), clock=SystemClock())
    stop = asyncio.Event()
    following = asyncio.create_task(follow(gallery, stop, interval=0.2))
    while not (directory / "index.html").exists():
        await asyncio.sleep(0.05)
    async with browser(1000, 500) as watched:
        page = watched.page
        await watched.show(directory / "index.html")
        await watched.until("document.querySelector('#live').textContent === 'following'")
        await page.fill("#search", "number")
        await page.select_option("#sort", "oldest")
        await page.locator(".tile .pick").nth(1).click()
        await page.evaluate("scrollTo(0, 400)")
        await page.locator('[data-index="12"] .frame').click()
        counter = await watched.text(".counter")
        manifest.write_text("".join(lines), "utf-8")
        await watched.until("document.querySelector('#tab-pictures b').textContent === '57'")

        assert counter == "13 of 28"
        assert await watched.text(".counter") == "13 of 57"
        assert await page.evaluate("document.querySelector('#viewer').open")
        await page.keyboard.press("Escape")
        assert await page.input_value("#search") == "number"
        assert "1 selected" in await watched.text("#chosen .tally")
        assert await page.evaluate("scrollY") > 0

        stop.set()
        await following
        await watched.until("document.querySelector('#live').textContent.startsWith('as of')")
    data = (
        (directory / "index.html").read_text("utf-8").partition('type="application/json">')[2].partition("</script>")[0]
    )
    assert (json.loads(data)["live"], len(json.loads(data)["items"])) == (False, 60)
