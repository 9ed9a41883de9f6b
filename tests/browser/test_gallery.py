"""The gallery in a real browser: everything a person does with it, on 20 and on 5,000 hostile items."""

import csv
import io
import json
import re

import pytest

pytestmark = [pytest.mark.browser]

SIZES = pytest.mark.parametrize("count", [20, 5000])


@SIZES
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_opens_and_says_what_there_is(browser, gallery_page, artefacts, count, scheme):
    """Pictures, totals and tabs are there, in light and dark, and no prompt became script."""
    async with browser(color_scheme=scheme) as watched:
        await watched.show(gallery_page(count))
        await watched.until("[...document.images].every((image) => image.complete)")
        await watched.page.screenshot(path=artefacts / f"grid-{count}-{scheme}.png")

        made = count - count // 20
        assert await watched.text("#tab-pictures") == f"Images {made:,}"
        assert await watched.text("#tab-trouble") == f"Not made {count // 20:,}"
        assert await watched.page.evaluate("window.hacked") is None
        assert await watched.page.locator(".tile .gone").count() == 0
        ground = await watched.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(248, 248, 246)", "dark": "rgb(16, 17, 19)"}[scheme]


@SIZES
async def test_nothing_is_wider_than_a_phone(browser, gallery_page, artefacts, count):
    """At 360 pixels no view scrolls sideways, whatever the prompts hold."""
    async with browser(360, 740, has_touch=True, is_mobile=True) as watched:
        await watched.show(gallery_page(count))
        for tab in ("pictures", "trouble", "charts"):
            await watched.page.click(f"#tab-{tab}")
            if tab == "trouble":
                await watched.page.evaluate(
                    "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
                )
            await watched.page.screenshot(path=artefacts / f"phone-{count}-{tab}.png")
            assert await watched.page.evaluate("document.documentElement.scrollWidth") == 360
        await watched.page.click("#filter")
        await watched.page.click("#tab-pictures")
        await watched.page.tap(".tile .pick")
        assert await watched.page.evaluate("document.documentElement.scrollWidth") == 360
        await watched.page.tap(".tile .frame")
        await watched.page.screenshot(path=artefacts / f"phone-{count}-viewer.png")
        assert await watched.page.evaluate("document.querySelector('#viewer').scrollWidth") == 360


async def test_search_finds_an_item_of_the_last_page(browser, gallery_page):
    """One search looks at everything: what would stand at the very end is found by prompt, id and task."""
    async with browser() as watched:
        await watched.show(gallery_page(5000))
        last = watched.page.locator(".tile .prompt").first
        for words in ("row-00001", "TASK_00000001", '"number 1"'):
            await watched.page.keyboard.press("/")
            await watched.page.fill("#search", words)
            if words.startswith('"'):
                await watched.page.select_option("#sort", "oldest")
            assert (await last.inner_text()).endswith(", number 1")
            assert words.startswith('"') or await watched.text("#tab-pictures b") == "1"


async def test_search_reaches_errors(browser, gallery_page):
    """What was not made is found by the words of its error, and offered where no image fits."""
    async with browser() as watched:
        await watched.show(gallery_page(5000))
        await watched.page.fill("#search", "gave up")
        assert "No image fits." in await watched.text(".empty")
        await watched.page.click(".empty button")
        groups = watched.page.locator("details")
        titles = {text.strip() for text in await groups.locator(".title > span").all_inner_texts()}
        assert titles == {"Task failed"}


async def test_filters_and_sorting(browser, gallery_page):
    """Filters narrow the search down together, sorting orders it, and both survive loading the page again."""
    async with browser() as watched:
        await watched.show(gallery_page(5000))
        await watched.page.click("#filter")
        await watched.page.select_option("[name=model]", "gpt-image-1.5")
        await watched.page.select_option("[name=size]", "512 × 512")
        await watched.page.fill("[name=costFrom]", "0.03")
        await watched.page.select_option("#sort", "slowest")
        narrowed = int((await watched.text("#tab-pictures b")).replace(",", ""))
        facts = await watched.page.locator(".tile .facts").all_inner_texts()
        await watched.until("location.hash.includes('slowest')")
        await watched.page.reload()
        await watched.page.wait_for_selector(".tile")

        assert 0 < narrowed < 300
        assert all("$0.039" in text for text in facts)
        seconds = [sum(float(n) * unit for n, unit in _times(text)) for text in facts]
        assert seconds == sorted(seconds, reverse=True)
        assert await watched.text("#tab-pictures b") == str(narrowed)
        assert await watched.text("#filter b") == "3"


def _times(text):
    for number, unit in re.findall(r"([\d.]+) (s|min)\b", text):
        yield number, {"s": 1, "min": 60}[unit]


async def test_the_keyboard_walks(browser, gallery_page):
    """Arrows walk the grid to its very end, space selects, enter shows large, arrows walk on, escape comes back."""
    async with browser() as watched:
        await watched.show(gallery_page(5000))
        active = "document.activeElement.dataset.index"
        await watched.page.keyboard.press("ArrowRight")
        await watched.page.keyboard.press("ArrowRight")
        assert await watched.page.evaluate(active) == "1"
        await watched.page.keyboard.press("ArrowDown")
        await watched.page.keyboard.press("ArrowUp")
        assert await watched.page.evaluate(active) == "1"
        await watched.page.keyboard.press("End")
        assert await watched.page.evaluate(active) == "4749"
        await watched.page.keyboard.press("Space")
        assert "1 selected" in await watched.text("#chosen .tally")
        await watched.page.keyboard.press("Enter")
        assert await watched.text(".counter") == "4,750 of 4,750"
        await watched.page.keyboard.press("ArrowRight")
        assert await watched.text(".counter") == "1 of 4,750"
        for _ in range(3):
            await watched.page.keyboard.press("ArrowRight")
        await watched.page.keyboard.press("Space")
        await watched.page.keyboard.press("Escape")
        await watched.until(f"{active} === '3'")
        assert "2 selected" in await watched.text("#chosen .tally")
        await watched.page.keyboard.press("Escape")
        assert await watched.page.is_hidden("#chosen")


async def test_the_large_view_has_the_facts(browser, gallery_page, artefacts):
    """Id, cost, model, size, seed and elapsed time stand beside the picture, and its prompt can be copied."""
    async with browser(permissions=["clipboard-read", "clipboard-write"]) as watched:
        await watched.show(gallery_page(20), "#words=row-00006")
        await watched.page.click(".tile")
        await watched.until("document.querySelector('#viewer img').naturalWidth > 0")
        await watched.page.screenshot(path=artefacts / "viewer.png")
        names = await watched.page.locator("#viewer dt").all_inner_texts()
        values = await watched.page.locator("#viewer dd").all_inner_texts()
        facts = dict(zip(names, values, strict=True))
        prompt = await watched.text("#viewer .prompt")
        await watched.page.keyboard.press("c")
        await watched.page.wait_for_selector("#said.shown")

        assert {"Id", "Model", "Size", "Cost", "Seed", "Elapsed"} <= set(names)
        assert (facts["Id"], facts["Model"], facts["Size"]) == (
            "row-00006",
            "gemini-2.5-flash-image-preview",
            "640 × 360",
        )
        assert await watched.page.evaluate("navigator.clipboard.readText()") == prompt


async def test_two_are_compared(browser, gallery_page, artefacts):
    """Exactly two selected pictures stand side by side, with what differs marked."""
    async with browser() as watched:
        await watched.show(gallery_page(20))
        await watched.page.locator(".tile .pick").nth(0).click()
        assert await watched.page.is_disabled("#chosen button:has-text('Compare')")
        await watched.page.locator(".tile .pick").nth(1).click()
        await watched.page.click("#chosen button:has-text('Compare')")
        await watched.page.screenshot(path=artefacts / "compare.png")

        assert await watched.page.locator("#compare img").count() == 2
        assert "Id" in await watched.page.locator("#compare .differs th").all_inner_texts()
        await watched.page.locator("#compare img").nth(0).click()
        scales = await watched.page.evaluate(
            "[...document.querySelectorAll('#compare img')].map((i) => getComputedStyle(i).scale)"
        )
        assert len(set(scales)) == 1


async def test_a_selection_is_exported(browser, gallery_page):
    """What is shown can be selected and saved as JSON Lines, CSV that no spreadsheet runs, and ids."""
    async with browser() as watched:
        await watched.show(gallery_page(5000))
        await watched.page.fill("#search", "HYPERLINK")
        await watched.page.click(".tile .pick")
        await watched.page.click("#chosen button:has-text('Select all shown')")
        shown = int((await watched.text("#tab-pictures b")).replace(",", ""))
        saved = {}
        for ending in ("jsonl", "csv", "txt"):
            async with watched.page.expect_download() as waiting:
                await watched.page.click(f"[data-export={ending}]")
            download = await waiting.value
            saved[download.suggested_filename] = (await download.path()).read_text("utf-8")

        requests = [json.loads(line) for line in saved["selection.jsonl"].splitlines()]
        rows = list(csv.reader(io.StringIO(saved["selection.csv"])))
        assert (len(requests), len(rows) - 1, len(saved["selection.txt"].splitlines())) == (shown, shown, shown)
        assert shown > 10
        assert all("HYPERLINK" in request["prompt"] + request["model"] for request in requests)
        assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@"))]


async def test_failures_are_folded_by_reason(browser, gallery_page, artefacts):
    """One group for one kind of trouble, closed until asked for, with the command that makes just those again."""
    async with browser() as watched:
        await watched.show(gallery_page(5000), "#tab=trouble")
        groups = watched.page.locator("details")
        assert 4 <= await groups.count() <= 20
        assert await watched.page.locator("details[open]").count() == 0
        first = groups.nth(0)
        reason = await first.get_attribute("data-reason")
        await first.locator("summary").click()
        await watched.page.wait_for_selector(".line")
        await watched.page.screenshot(path=artefacts / "failures.png")
        assert re.fullmatch(rf"toapis resume \S+ --reason {reason}", await first.locator("code").inner_text())
        assert re.fullmatch(r"[a-z0-9-]+", reason)
        await first.locator(".what").nth(0).click()
        assert await watched.text(".counter") == "1 of 250"
        assert await watched.page.locator("#viewer .plate").count() == 1


async def test_charts_are_drawn(browser, gallery_page, artefacts):
    """Throughput, cost over time, seconds by model and looks are drawn, and say in words what they show."""
    async with browser() as watched:
        await watched.show(gallery_page(5000), "#tab=charts")
        await watched.page.screenshot(path=artefacts / "charts.png")
        labels = [await each.get_attribute("aria-label") for each in await watched.page.locator(".chart svg").all()]
        assert [label.partition(":")[0] for label in labels] == [
            "Images per minute",
            "Cost over time",
            "Looks per item",
            "Seconds by model",
        ]
        assert not await watched.page.evaluate("document.querySelector('#charts').innerHTML.includes('NaN')")


async def test_hostile_words_stay_words(browser, gallery_page):
    """Whatever stands in prompts, ids, models and errors is shown letter by letter, each in its own direction."""
    async with browser() as watched:
        await watched.show(gallery_page(20))
        before = await watched.page.evaluate("[document.scripts.length, document.styleSheets.length]")
        for tab in ("pictures", "trouble", "charts"):
            await watched.page.click(f"#tab-{tab}")
        await watched.page.click("#tab-pictures")
        await watched.page.fill("#search", "</script>")
        assert "</script><script>window.hacked = 1</script>" in await watched.text(".tile .prompt")
        assert await watched.page.get_attribute(".tile .prompt", "dir") == "auto"
        assert (
            await watched.page.evaluate("getComputedStyle(document.querySelector('.tile .prompt')).unicodeBidi")
            == "isolate"
        )
        assert await watched.page.evaluate("[document.scripts.length, document.styleSheets.length]") == before
        assert await watched.page.evaluate("window.hacked") is None


async def test_no_foreign_script_can_run(browser, gallery_page):
    """Markup that got into the page all the same would do nothing: its script and its requests are refused."""
    async with browser() as watched:
        await watched.show(gallery_page(20))
        refused = await watched.page.evaluate(
            """async () => {
                const refusals = [];
                addEventListener("securitypolicyviolation", (event) => refusals.push(event.violatedDirective));
                try { document.body.innerHTML += "<p>"; } catch { refusals.push("innerHTML"); }
                const picture = document.createElement("img");
                try { picture.setAttribute("onerror", "window.hacked = 9"); } catch { refusals.push("onerror"); }
                picture.src = "https://example.invalid/x.png";
                document.body.append(picture);
                await fetch("https://example.invalid/").catch(() => refusals.push("fetch"));
                await new Promise((done) => setTimeout(done, 200));
                return [...refusals, window.hacked ?? "safe"];
            }"""
        )
        watched.complaints.clear()
        assert {"innerHTML", "onerror", "fetch", "img-src", "safe"} <= set(refused)
        watched.asked.clear()  # what is refused is told of all the same


async def test_scrolling_keeps_few_elements(browser, gallery_page):
    """Only the rows near the window exist, from the first to the last."""
    async with browser() as watched:
        await watched.show(gallery_page(5000))
        for part in (0.3, 0.7, 1.0):
            await watched.page.evaluate(f"scrollTo(0, document.documentElement.scrollHeight * {part})")
            await watched.until(
                "[...document.querySelectorAll('.tile')].some((tile) => { const { top, bottom } = "
                "tile.getBoundingClientRect(); return bottom > 200 && top < innerHeight; })"
            )
            assert await watched.page.locator(".tile").count() < 150
        assert await watched.page.locator('[data-index="4749"]').count() == 1


async def test_thumbnails_grow(browser, gallery_page):
    """The size of the thumbnails can be chosen, and small ones drop their words."""
    async with browser() as watched:
        await watched.show(gallery_page(5000))
        many = []
        for height in ("90", "400"):
            await watched.page.fill("#height", height)
            many.append(await watched.page.locator(".tile").count())
            assert await watched.page.is_visible(".tile .caption") is (height == "400")
        assert many[0] > 5 * many[1]
