"""Every code block of the README and of docs/ is run, page by page, as a reader would who follows the page.

A page's blocks share a directory, one namespace, and a gateway: the simulator, with its address and a key in the
environment. A block with a ``title`` is a file of that name. Comments before a block, which readers do not see, say
what is special about it:

``<!-- not run: reason -->``     it cannot be run here
``<!-- needs: name -->``         it runs once the package has that name; see ``NOT_YET``
``<!-- exits: 5 -->``            its last command ends with that exit code
"""

import ast
import asyncio
import importlib
import inspect
import re
import shlex
import subprocess
import sys
import threading

import attrs
import pytest
from hurried_clock import HurriedClock
from pages import PAGES, ROOT, blocks_of

import toapis_async
from toapis_async.cli.program import run_program
from toapis_async.testing import Constant, Scenario, Simulator

# What the pages tell of and the package does not have yet. Take a name out when it is there: its blocks then run.
NOT_YET: set[str] = set()

# What a page may take for granted: a user's own files.
SUPPLIES = {
    "prompts.txt": b"a red fox in the snow\na lighthouse in a storm\n",
    "prompts.jsonl": b'{"prompt": "a red fox in the snow"}\n{"prompt": "a lighthouse in a storm", "size": "16:9"}\n',
    "style.png": (ROOT / "tests" / "docs" / "style.png").read_bytes(),
}

RUN = {"python", "console", "bash", "sh"}
DATA = {"", "text", "csv", "json", "jsonl", "toml", "ini", "yaml", "mermaid", "html"}


def exists(needed):
    """Whether the package has a name such as ``AsyncToAPIs.check``, or a call the parameters in its brackets."""
    name, _, parameters = needed.rstrip(")").partition("(")
    thing, parts = toapis_async, name.split(".")
    if parts[0] == "toapis_async":
        try:
            thing, parts = importlib.import_module(".".join(parts[:-1])), parts[-1:]
        except ModuleNotFoundError:
            return False
    for part in parts:
        if not hasattr(thing, part):
            return False
        thing = getattr(thing, part)
    return not parameters or set(parameters.split(", ")) <= set(inspect.signature(thing).parameters)


ALL = [block for path in PAGES for block in blocks_of(path)]


def test_every_block_says_what_it_is():
    """Each block has a known language, and a marker only where it means something."""
    wrong = [block.where for block in ALL if block.language not in RUN | DATA]
    wrong += [
        f"{block.where}: {block.marker}"
        for block in ALL
        if block.marker and not any(block.said(word) for word in ("not run", "needs", "exits"))
    ]
    assert wrong == []


def test_the_list_of_what_is_not_there_yet_shrinks():
    """What a block waits for is in the list, and what is there by now is not."""
    waited_for = {block.said("needs") for block in ALL} - {None}
    assert {name for name in waited_for if not exists(name)} == NOT_YET


def test_the_examples_of_the_help_are_valid():
    """What the help pages show as examples of making something is not refused by the catalogue."""
    import click

    from toapis_async.cli.program import program

    context = click.Context(program)
    shown = [program.get_command(context, name).epilog or "" for name in program.list_commands(context)]
    lines = [line.strip() for epilog in shown for line in epilog.splitlines() if "toapis generate" in line]
    assert lines
    for line in lines:
        words = [str(ROOT / "tests/docs/style.png") if word == "mug.png" else word for word in shlex.split(line)]
        assert run_program([*words[1:], "--dry-run"]) == 0, line


@pytest.fixture
def gateway(monkeypatch):
    """A simulator in a thread of its own, so that programs with event loops of their own can use it."""
    ready, over, facts = threading.Event(), None, {}

    async def serve():
        nonlocal over
        over = asyncio.Event()
        scenario = Scenario(files="small", latency=Constant(0.3))
        async with Simulator(scenario) as sim:
            facts.update(sim=sim, loop=asyncio.get_running_loop(), base_url=sim.base_url, api_key=sim.api_key)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(20)
    monkeypatch.setenv("TOAPIS_BASE_URL", facts["base_url"])
    monkeypatch.setenv("TOAPIS_API_KEY", facts["api_key"])
    monkeypatch.setenv("COLUMNS", "100")
    yield facts
    facts["loop"].call_soon_threadsafe(over.set)
    thread.join(20)


@pytest.fixture
def hurried(monkeypatch):
    """Let the documented five seconds between two looks take a fraction of that."""
    from toapis_async import async_client

    monkeypatch.setattr(async_client, "SystemClock", lambda: HurriedClock(25.0))


@attrs.define
class Reader:
    """Does what a page says."""

    directory: object
    gateway: dict
    namespace: dict = attrs.field(factory=lambda: {"__name__": "__main__"})
    tests: bool = False

    def follow(self, block):
        """Do what one block says."""
        title = block.title
        if not title and block.language == "python" and re.search(r"^(?:async )?def test_", block.text, re.MULTILINE):
            title = f"test_line_{block.line}.py"
        if title:
            (self.directory / title).write_text(block.text, "utf-8")
            self.tests |= title.startswith("test_")
        elif block.language == "python":
            self.run_python(block)
        else:
            self.run_commands(block)

    def run_python(self, block):
        """Run a block in the page's namespace; ``await`` may stand anywhere in it."""
        text = "\n" * block.line + block.text
        code = compile(text, block.page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        if code.co_flags & inspect.CO_COROUTINE:

            async def run():
                await eval(code, self.namespace)

            asyncio.run(run())
        else:
            exec(code, self.namespace)

    def run_commands(self, block):
        """Run the ``toapis`` commands of a block; Python files and pytest too."""
        expected = int(block.said("exits") or 0)
        lines = [line for line in block.text.replace("\\\n", " ").splitlines() if line.strip()]
        for line in lines:
            words = [self.last_task() if word == "TASK_ID" else word for word in shlex.split(line, comments=True)]
            if not words or words[0] in {"export", "cd"}:
                continue
            code = self.run_command(words, block)
            assert code == (expected if line is lines[-1] else 0), f"{block.where}: {line}"

    def last_task(self):
        """The id of the task that the gateway accepted last; where there is none yet, of one made for the reader."""
        tasks = self.gateway["sim"].gateway.tasks
        if not tasks:
            assert run_program(["generate", "a red fox", "-o", "earlier", "--quiet"]) == 0
        return next(reversed(tasks))

    def run_command(self, words, block):
        """Run one command and return its exit code."""
        if words[0] == "toapis":
            return run_program(words[1:])
        assert words[0] in {"python", "pytest"}, f"{block.where} runs {words[0]}: say why not with a marker"
        module = ["-m", "pytest", "-q", "-p", "no:cacheprovider"] if words[0] == "pytest" else []
        done = subprocess.run([sys.executable, *module, *words[1:]], cwd=self.directory, check=False, timeout=240)
        return done.returncode


def runs(block):
    """Whether a block runs today."""
    if block.said("not run") is not None:
        return False
    needed = block.said("needs")
    return bool(block.title) or (block.language in RUN and (needed is None or exists(needed)))


WITH_BLOCKS = [path for path in PAGES if any(runs(block) for block in blocks_of(path))]


@pytest.mark.parametrize("path", WITH_BLOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_does_what_it_says(path, tmp_path, monkeypatch, gateway, hurried):
    """Each block of the page runs, in the page's order, in a directory of its own; its tests pass."""
    pytest.importorskip("PIL")
    (tmp_path / "page").mkdir()
    monkeypatch.chdir(tmp_path / "page")
    monkeypatch.syspath_prepend(tmp_path / "page")
    known = set(sys.modules)
    reader = Reader(tmp_path / "page", gateway)
    for name, content in SUPPLIES.items():
        (reader.directory / name).write_bytes(content)
    for block in filter(runs, blocks_of(path)):
        reader.follow(block)
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
    if reader.tests:
        assert reader.run_command(["pytest", "--rootdir", ".", "."], blocks_of(path)[0]) == 0
