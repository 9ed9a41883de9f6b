"""What type checkers say of users' scripts, and of the package itself."""

import ast
import importlib
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import toapis_async
from toapis_async import AsyncToAPIs, GenerationSession

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SCRIPTS = sorted(path for path in HERE.glob("*.py") if path != Path(__file__))
BINARIES = Path(sys.executable).parent

pytestmark = [pytest.mark.pyright]


def exists(needed):
    """Whether the package has a name such as ``AsyncToAPIs.check``, or a call the parameters in its brackets."""
    name, _, parameters = needed.rstrip(")").partition("(")
    parts = name.split(".")
    thing = toapis_async
    if parts[0] == "toapis_async":
        module = ".".join(parts[:-1])
        if importlib.util.find_spec(module) is None:
            return False
        thing, parts = importlib.import_module(module), parts[-1:]
    for part in parts:
        thing = AsyncToAPIs(api_key="sk-1") if thing is AsyncToAPIs and part in {"images", "videos"} else thing
        if not hasattr(thing, part):
            return False
        thing = getattr(thing, part)
    return not parameters or set(parameters.split(", ")) <= set(inspect.signature(thing).parameters)


def missing_from(path):
    """What a script needs, by its docstring, and the package does not have yet."""
    said = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    needs = re.findall(r"[\w.]+(?:\([^)]*\))?", said.partition("Needs: ")[2])
    return [needed for needed in needs if not exists(needed)]


READY = [path for path in SCRIPTS if not missing_from(path)]


def checker(name, *arguments, cwd):
    """Run a type checker that is installed beside this Python, and return what it printed."""
    if shutil.which(name, path=BINARIES) is None:
        pytest.skip(f"needs {name}: pip install {name}")
    environment = {**os.environ, "PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    environment["PYRIGHT_PYTHON_IGNORE_WARNINGS"] = "1"
    command = [BINARIES / name, *map(str, arguments)]
    ended = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if name == "pyright" and shutil.which("node") is None and not ended.stdout:
        pytest.skip("pyright needs Node.js: apt-get install nodejs, or pip install 'pyright[nodejs]'")
    return ended.stdout


def test_users_scripts_are_strictly_typed(tmp_path):
    """Strict pyright finds nothing in the scripts, and what they mark as wrong is wrong."""
    for path in READY:
        shutil.copy(path, tmp_path)
    shutil.copy(HERE / "pyrightconfig.json", tmp_path)
    told = json.loads(checker("pyright", "--outputjson", "-p", tmp_path, cwd=tmp_path))
    found = [
        f"{Path(one['file']).name}:{one['range']['start']['line'] + 1}: {one['message']}"
        for one in told["generalDiagnostics"]
    ]
    assert found == []
    assert told["summary"]["filesAnalyzed"] == len(READY)


def test_mypy_agrees(tmp_path):
    """Strict mypy finds nothing in the scripts either."""
    cache = f"--cache-dir={ROOT / '.mypy_cache'}"
    said = checker("mypy", "--strict", "--warn-unreachable", cache, *READY, cwd=tmp_path)
    assert said.startswith("Success"), said


def test_the_package_is_typed_to_the_last_name(tmp_path):
    """Every name that the package exports has a type that all checkers understand alike."""
    said = checker("pyright", "--outputjson", "--ignoreexternal", "--verifytypes", "toapis_async", cwd=tmp_path)
    told = json.loads(said)["typeCompleteness"]
    vague = [
        f"{symbol['name']}: {fault['message'].splitlines()[0]}"
        for symbol in told["symbols"]
        for fault in symbol["diagnostics"]
        if not symbol["isTypeKnown"] or symbol["isTypeAmbiguous"]
    ]
    assert vague == []
    assert told["completenessScore"] == 1.0


def public_calls():
    """Every public call that hangs on a client or a session, by its own name."""
    client = AsyncToAPIs(api_key="sk-1")
    for thing in (
        client,
        client.images,
        client.videos,
        client.uploads,
        client.account,
        client.models,
        GenerationSession,
    ):
        kind = thing if isinstance(thing, type) else type(thing)
        for name, member in inspect.getmembers(kind):
            if not name.startswith("_") and inspect.isfunction(member):
                yield name


# For the library's own floors, not for users.
INNER = {"verbs_of", "resolve", "lost", "forget", "view"}


def test_every_public_call_is_in_a_script():
    """No call that users have is without a line that says what it takes and returns."""
    called = {
        node.func.attr
        for path in SCRIPTS
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert set(public_calls()) - INNER - called == set()


def test_every_public_name_is_in_a_script():
    """Every name of the package's root is imported by a script."""
    imported = {
        name.name
        for path in SCRIPTS
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "toapis_async"
        for name in node.names
    }
    assert set(toapis_async.__all__) - imported - {"__version__"} == set()
