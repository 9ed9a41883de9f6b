"""The scenario file of docs/testing.md; the page's other blocks are run with all pages (tests/docs)."""

import re
from pathlib import Path

from toapis_async.testing import scenario_from_toml

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def test_the_scenario_file_can_be_read():
    """The TOML block is a scenario."""
    (text,) = [text for language, text in BLOCK.findall(PAGE.read_text("utf-8")) if language == "toml"]

    assert len(scenario_from_toml(text).faults) == 1
