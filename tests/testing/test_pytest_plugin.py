"""The fixture for users' own tests, in a pytest run of its own."""

import subprocess
import sys

import pytest

SETTINGS = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n"
CONFTEST = 'pytest_plugins = ["toapis_async.testing.pytest_plugin"]\n'
TEST = """
import aiohttp

async def test_mine(toapis_simulator):
    async with toapis_simulator("calm", seed=3) as sim, aiohttp.ClientSession() as session:
        async with session.get(f"{sim.base_url}/v1/balance") as reply:
            assert reply.status == 401
        assert sim.scenario.files == "small"

async def test_a_value(toapis_simulator):
    from toapis_async.testing import Scenario
    async with toapis_simulator(Scenario(name="mine"), tls=True) as sim:
        assert sim.base_url.startswith("https")
"""


def test_it_works_by_one_line_in_a_conftest(tmp_path):
    """Opt in, take the maker, enter it in the test."""
    (tmp_path / "pytest.ini").write_text(SETTINGS, "utf-8")
    (tmp_path / "conftest.py").write_text(CONFTEST, "utf-8")
    (tmp_path / "test_mine.py").write_text(TEST, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]

    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False, timeout=50)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import toapis_async.testing.pytest_plugin", {"aiohttp.web", "PIL", "toapis_async.testing.simulator"}),
        ("from toapis_async.testing import FakeClock", {"aiohttp.web", "PIL", "toapis_async.testing.simulator"}),
        ("from toapis_async.testing import Simulator", {"PIL", "trustme"}),
    ],
)
def test_nobody_pays_for_what_is_not_used(statement, unwanted):
    """Importing one thing does not bring in the others."""
    code = f"{statement}; import sys; print(sorted(set({unwanted!r}) & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=50)

    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there():
    """The list is complete and each name can be had."""
    import toapis_async.testing as testing

    assert set(testing.__all__) == set(testing._HOME_OF)
    assert all(getattr(testing, name) is not None for name in testing.__all__)
    with pytest.raises(AttributeError, match="Nonsense"):
        _ = testing.Nonsense
