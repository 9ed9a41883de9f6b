"""Makes the README's pictures anew from a real run: ``python docs/images/make.py``.

Needs the extras all and browser, and Chromium.
"""

import asyncio
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from playwright.async_api import async_playwright
from rich.console import Console
from rich.text import Text

from toapis_async.testing import Fail, Fault, LogNormal, Scenario, Simulator

HERE = Path(__file__).parent
COLUMNS, ROWS = 100, 30
SUBJECTS = (
    "red fox in the snow",
    "lighthouse in a storm",
    "bowl of ramen",
    "glass greenhouse",
    "paper boat",
    "night train",
)
STYLES = ("ink drawing", "oil painting", "photograph, golden hour", "woodcut", "watercolour", "isometric render")
SIZES = ("1:1", "16:9", "9:16", "4:3")


async def main() -> None:
    failing = Fault(where="task", what=Fail(message="Content violates the content policy"), match="woodcut", first=3)
    scenario = Scenario(latency=LogNormal(2.5, 0.4), faults=[failing])
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "posters"
        prompts = Path(place) / "posters.csv"
        rows = [
            f'{number:03},"a {subject}, {style}",{SIZES[number % 4]}' for number, (subject, style) in enumerate(pairs())
        ]
        prompts.write_text("\n".join(["id,prompt,size", *rows]) + "\n")
        async with Simulator(scenario) as sim:
            environment = {
                **os.environ,
                "TOAPIS_API_KEY": sim.api_key,
                "TOAPIS_BASE_URL": sim.base_url,
                "TERM": "xterm-256color",
            }
            command = ["batch", prompts.name, "-o", "posters", "--max-cost", "2", "--min-poll-interval", "0.5"]
            drawn = await asyncio.to_thread(in_a_terminal, command, environment, place)
        terminal(drawn, " ".join(["toapis", *command[:-2]]))
        subprocess.run([sys.executable, "-m", "toapis_async", "report", str(out), "--quiet"], check=True)
        await gallery(out / "index.html")


def pairs() -> list[tuple[str, str]]:
    return [(subject, style) for subject in SUBJECTS for style in STYLES] * 2


def in_a_terminal(command: list[str], environment: dict[str, str], place: str) -> str:
    """Run the program in a terminal of its own and return everything that it drew there."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    words = [sys.executable, "-m", "toapis_async", *command]
    running = subprocess.Popen(words, env=environment, cwd=place, stdin=follower, stdout=follower, stderr=follower)
    os.close(follower)
    parts = []
    while True:
        try:
            parts.append(os.read(leader, 65536))
        except OSError:
            break
    running.wait()
    os.close(leader)
    return b"".join(parts).decode("utf-8", "replace").replace("\r\n", "\n")


def terminal(drawn: str, command: str) -> None:
    """Draw the frame in the middle of the run."""
    frames = [frame for frame in re.split(r"(?:\x1b\[1A|\x1b\[2K|\r|\x1b\[\?25[lh])+", drawn) if "images/min" in frame]
    frame = frames[len(frames) // 2].strip("\n")
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text(f"$ {command}", style="bold"))
    console.print(Text.from_ansi(frame), no_wrap=True)
    picture = console.export_svg(title="toapis")
    # Without the fonts that it would fetch from elsewhere: a reader's own will do.
    (HERE / "terminal.svg").write_text(re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL), "utf-8")


async def gallery(page: Path) -> None:
    async with async_playwright() as driver:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        browser = await driver.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        view = await browser.new_page(viewport={"width": 1200, "height": 760})
        await view.goto(page.as_uri())
        await view.wait_for_timeout(1500)
        await view.screenshot(path=str(HERE / "gallery.png"))
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
