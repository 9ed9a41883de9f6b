"""What the pages say of the code: each file and each name that they point to is there."""

import ast
import re

import pytest
from pages import PAGES, ROOT

PACKAGE = ROOT / "toapis_async"
FOLDERS = "|".join(sorted(path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"))
_POINTER = re.compile(rf"`(?:toapis_async/)?((?:(?:{FOLDERS})/[\w/]+|errors|clock|async_client)\.py)(?::\s+([\w.]+))?`")


def names_in(tree):
    """The names that a file defines, with those of its classes after a dot."""
    found = set()
    for node in tree.body:
        targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
            found |= {f"{node.name}.{inner.name}" for inner in node.body if hasattr(inner, "name")}
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_page_points_to_is_there(path):
    """Each ``folder/file.py: Name`` of a page names a file of the package, and something that it defines."""
    wrong = []
    for file, name in _POINTER.findall(re.sub(r"\s*\n\s*", " ", path.read_text("utf-8"))):
        home = PACKAGE / file
        if not home.is_file() or (name and name not in names_in(ast.parse(home.read_text("utf-8")))):
            wrong.append(f"{file}: {name}")
    assert wrong == []
