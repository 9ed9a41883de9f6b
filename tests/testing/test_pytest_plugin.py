"""The fixture for users' own tests, in a pytest run of its own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SETTINGS = "[pytest]\nasyncio_mode = {mode}\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n"
CONFTEST = 'pytest_plugins = ["toapis_async.testing.pytest_plugin"]\n'
TEST = """
import aiohttp

async def test_mine(toapis_simulator):
    async with toapis_simulator("calm", seed=3) as sim, aiohttp.ClientSession() as session:
        async with session.get(f"{sim.base_url}/v1/balance") as reply:
            assert reply.status == 401
        assert sim.scenario.files == "small"

class TestMore:
    async def test_a_value(self, toapis_simulator, tmp_path, unused=1):
        from toapis_async.testing import Scenario
        async with toapis_simulator(Scenario(name="mine"), tls=True) as sim:
            assert sim.base_url.startswith("https")

def test_a_plain_one(toapis_simulator):
    assert toapis_simulator("calm").seed == 0
"""
README = Path(__file__).parents[2] / "README.md"
_WITHOUT_PILLOW = "import sys\nsys.modules['PIL'] = None\n"


def run(folder, *options, settings="[pytest]\n", files=()):
    """A pytest run in a process of its own; its exit code and output."""
    for name, text in {"pytest.ini": settings, **dict(files)}.items():
        (folder / name).write_text(text, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:anyio", *options, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False, timeout=120)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("mode", ["auto", "strict"])
@pytest.mark.parametrize("conftest", ["", CONFTEST], ids=["installed", "named in a conftest too"])
def test_the_fixture_is_there_once_the_package_is_installed(tmp_path, mode, conftest):
    """Whatever mode pytest-asyncio is in, and also for those who registered the plugin themselves."""
    files = {"conftest.py": conftest, "test_mine.py": TEST}

    code, output = run(tmp_path, settings=SETTINGS.format(mode=mode), files=files)

    assert (code, "3 passed" in output) == (0, True), output


def test_no_other_plugin_is_needed(tmp_path):
    """pytest and this package run the async tests that use the fixture, and no others."""
    other = "async def test_other():\n    pass\n"

    code, output = run(tmp_path, "-p", "no:asyncio", files={"test_mine.py": TEST, "test_other.py": other})

    assert (code, "3 passed" in output, "1 failed" in output) == (1, True, True), output


@pytest.mark.parametrize("options", [(), ("-p", "no:asyncio")], ids=["with pytest-asyncio", "without"])
def test_the_example_of_the_readme_passes_as_it_stands(tmp_path, options):
    """Copied into a file, with nothing besides."""
    (example,) = re.findall(r"```python\n([^`]*def test_[^`]*)```", README.read_text("utf-8"))

    code, output = run(tmp_path, *options, files={"test_readme.py": example})

    assert (code, "1 passed" in output) == (0, True), output


def test_without_pillow_it_says_what_to_install(tmp_path):
    """Named scenarios need no Pillow; drawn pictures do, and say so."""
    test = """
async def test_small(toapis_simulator):
    async with toapis_simulator("calm") as sim, sim.client() as client:
        assert (await client.account.balance()).remaining_usd is not None

async def test_drawn(toapis_simulator):
    from toapis_async.testing import Scenario
    async with toapis_simulator(Scenario()):
        pass
"""
    code, output = run(tmp_path, files={"conftest.py": _WITHOUT_PILLOW, "test_mine.py": test})

    assert (code, "1 failed, 1 passed" in output) == (1, True), output
    assert 'pip install "toapis-async[sim]"' in output


def test_an_error_in_the_test_is_the_tests_own(tmp_path):
    """The plugin hides nothing."""
    test = "async def test_mine(toapis_simulator):\n    assert 1 == 2\n"

    code, output = run(tmp_path, "-p", "no:asyncio", files={"test_mine.py": test})

    assert (code, "assert 1 == 2" in output) == (1, True), output


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import toapis_async.testing.pytest_plugin", {"aiohttp", "asyncio", "attrs", "PIL", "toapis_async.clock"}),
        ("from toapis_async.testing import FakeClock", {"aiohttp.web", "PIL", "toapis_async.testing.simulator"}),
        ("from toapis_async.testing import Simulator", {"PIL", "trustme"}),
    ],
)
def test_nobody_pays_for_what_is_not_used(statement, unwanted):
    """Importing one thing does not bring in the others."""
    code = f"{statement}; import sys; print(sorted(set({unwanted!r}) & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)

    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there():
    """The list is complete and each name can be had."""
    import toapis_async.testing as testing

    assert set(testing.__all__) == set(testing._HOME_OF)
    assert all(getattr(testing, name) is not None for name in testing.__all__)
    with pytest.raises(AttributeError, match="Nonsense"):
        _ = testing.Nonsense
