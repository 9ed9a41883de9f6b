"""Citations: what the code points to in docs/ is there, and nothing points to documents that the repository lacks."""

import inspect
import re
from pathlib import Path

import pytest

import toapis_async
import toapis_async.testing

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path
    for folder in ("toapis_async", "tests", "benchmarks")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".pyi", ".js", ".css", ".html", ".sh"} and path != Path(__file__)
)
_CITED = re.compile(r"docs/[\w/.-]*?\w+\.md(?:#[\w-]+)?")
_LOST = re.compile(
    r"§|\b(?:gateway|ToAPIs) docs\b|[#;(] *docs: |\b[Cc]ontract \d|\b[Dd]esign \d|(?<![\w/])docs/(?:en|cn)/"
)


def anchors_of(path):
    """Every name by which a link can lead into a page."""
    text = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#{1,6} +(.+?) *$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def joined(path):
    """A file's text, with citations that a line's end cuts put together."""
    return re.sub(r"(docs/[\w/.-]*)\n\s*(?:#\s*)?([\w/.-]*\.md)", r"\1\2", path.read_text("utf-8"))


def test_every_citation_leads_to_a_heading():
    """Each ``docs/page.md#heading`` names a page of the repository, and a heading on it."""
    broken = []
    for path in SOURCES:
        for cited in _CITED.findall(joined(path)):
            name, _, anchor = cited.partition("#")
            page = ROOT / name
            if not page.is_file() or (anchor and anchor not in anchors_of(page)):
                broken.append(f"{path.relative_to(ROOT)}: {cited}")
    assert broken == []


def test_nothing_cites_what_the_repository_does_not_hold():
    """No comment or docstring sends its reader to a section of a document that is not here."""
    lost = []
    for path in SOURCES:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if _LOST.search(line):
                lost.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert lost == []


@pytest.mark.parametrize("wrong", ["contract §3", "gateway docs: images", "docs: after 5 s", "design 6"])
def test_the_old_forms_are_found(wrong):
    """The search for lost citations finds the forms that there were."""
    assert _LOST.search(f"# {wrong}")


_INNER = re.compile(r"docs/|\b(?:policy|wire|storage|transport|batch)\.\w+\.\w+")


def public_docstrings():
    """The docstring of each public name, and of what users call on it."""
    for module in (toapis_async, toapis_async.testing):
        for name in module.__all__:
            thing = getattr(module, name)
            yield name, inspect.getdoc(thing)
            for inner, member in vars(thing).items() if inspect.isclass(thing) else ():
                if not inner.startswith("_") and (callable(member) or isinstance(member, property)):
                    yield f"{name}.{inner}", inspect.getdoc(member)


def test_public_docstrings_stand_on_their_own_feet():
    """What a user reads in an editor sends them neither to a page of the repository nor to an inner module."""
    assert [name for name, said in public_docstrings() if said and _INNER.search(said)] == []
