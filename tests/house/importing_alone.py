"""Imports each module of the package in a process that has imported nothing of it but what that module imports.

A program of its own. Processes are forked as a tree: what several modules import is imported once, before their ways
part, since running it anew for each of them is what takes the time.
"""

import ast
import contextlib
import gc
import importlib
import os
import sys
from collections import Counter
from pathlib import Path

FOREIGN = (
    "aiohttp.web", "anyio.abc", "cattrs", "sqlite3", "PIL.Image", "PIL.ImageDraw", "click", "rich.progress", "pytest",
    "trustme", "asyncio", "aiohttp.test_utils", "importlib.metadata",
)  # fmt: skip


def modules_below(package):
    """Give the file of each module by its name."""
    return {
        ".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(package.rglob("*.py"))
        if path.name != "__main__.py"
    }


def imported_by(path):
    """Name what a module imports when it is run, submodules or not."""
    waiting = ast.parse(path.read_text("utf-8")).body
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If | ast.Try) and "TYPE_CHECKING" not in ast.dump(getattr(node, "test", node)):
            waiting += node.body


def closures(files):
    """Give what is imported before each module is: that, and nothing that itself imports the module."""
    direct = {name: {name.rpartition(".")[0], *imported_by(path)} & files.keys() for name, path in files.items()}
    reached = {}
    for name in direct:
        seen, waiting = set(), [name]
        while waiting:
            new = direct[waiting.pop()] - seen
            seen |= new
            waiting += new
        reached[name] = seen
    return {name: {one for one in seen if name not in reached[one]} - {name} for name, seen in reached.items()}


def in_a_fork(work, *arguments):
    """Do it in a process like this one; tell whether all went well there."""
    if not (child := os.fork()):
        try:
            fine = work(*arguments)
        except BaseException as error:
            print(arguments[0], repr(error), flush=True)
            fine = False
        os._exit(0 if fine else 1)
    return os.waitpid(child, 0)[1] == 0


def import_apart(names, before, first=None):
    """Import each of them with nothing but its own imports; what all of them import comes first, in this process."""
    if first is not None:
        importlib.import_module(first)
    fine = True
    while names:
        if len(names) == 1:
            importlib.import_module(names[0])
            return fine
        left = Counter(one for name in names for one in before[name] - sys.modules.keys())
        most = max(left.values(), default=0)
        # Among those that most of them import, one that imports none of the others; it may be one of them.
        first = min((one for one in left if left[one] == most), key=lambda one: (len(before[one]), one), default=None)
        those = [name for name in names if first in before[name]] or names[:1]
        if len(those) == len(names):
            importlib.import_module(first)
            continue
        names = [name for name in names if name not in those]
        fine = in_a_fork(import_apart, those, before, first) and fine
    return fine


def main(package):
    """Import every module of a package; end with 1 where one of them fails."""
    before = closures(modules_below(package))
    assert not before.keys() & sys.modules.keys()
    # What others have made is slow to import again in each child.
    for foreign in FOREIGN:
        with contextlib.suppress(ImportError):
            importlib.import_module(foreign)
    gc.freeze()
    return 0 if import_apart(list(before), before) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
