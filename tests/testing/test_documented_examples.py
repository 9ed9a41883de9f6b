"""The examples of docs/testing.md, as a user would copy them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from toapis_async.testing import scenario_from_toml

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def test_the_app_and_its_tests_pass(tmp_path):
    """Each Python block names its file; the tests among them pass in a pytest run of their own."""
    pytest.importorskip("fastapi")
    pytest.importorskip("httpx")
    for language, text in BLOCK.findall(PAGE.read_text("utf-8")):
        if language == "python":
            name = text.partition("\n")[0].removeprefix("# ")
            (tmp_path / name).write_text(text, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", "."]

    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False, timeout=50)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_the_scenario_file_can_be_read():
    """The TOML block is a scenario."""
    (text,) = [text for language, text in BLOCK.findall(PAGE.read_text("utf-8")) if language == "toml"]

    assert len(scenario_from_toml(text).faults) == 1
