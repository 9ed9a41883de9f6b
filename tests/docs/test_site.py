"""The site: built strictly, complete, and without a link that leads nowhere."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urlsplit

import pytest
from headings import anchors_of
from pages import PAGES, ROOT

import toapis_async
from toapis_async.cli.program import _COMMANDS

pytestmark = [pytest.mark.docs]


class Page(HTMLParser):
    """Collects the links and the anchors of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Note one tag."""
        named = dict(attrs)
        self.anchors |= {named.get("id"), named.get("name")} - {None}
        self.links |= {named.get("href"), named.get("src")} - {None, ""}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site, and give its pages by name."""
    for package in ("mkdocs", "material", "mkdocstrings_handlers.python"):
        pytest.importorskip(package, reason="needs the extra docs: pip install 'toapis-async[docs]'")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", "docs/mkdocs/mkdocs.yml", "-d", folder]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return {path.relative_to(folder).as_posix(): Page(path.read_text("utf-8")) for path in folder.rglob("*.html")} | {
        path.relative_to(folder).as_posix(): None for path in folder.rglob("*") if path.suffix not in {"", ".html"}
    }


def test_every_link_of_the_site_leads_somewhere(site):
    """Each link within the site names a file of it, and each anchor an element there."""
    broken = []
    for name, page in site.items():
        for link in page.links if page is not None and name != "404.html" else ():
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or not (parts.path or parts.fragment):
                continue
            target = normpath(join(dirname(name), unquote(parts.path))) if parts.path else name
            target = "index.html" if target == "." else target
            anchor = unquote(parts.fragment)
            if target not in site or (anchor and site[target] and anchor not in site[target].anchors):
                broken.append(f"{name}: {link}")
    assert broken == []


def test_headings_have_the_same_names_on_the_site_as_on_github(site):
    """A link to a heading works in both places."""
    for path in PAGES:
        if path.is_relative_to(ROOT / "docs"):
            page = site[path.relative_to(ROOT / "docs").with_suffix(".html").as_posix()]
            assert anchors_of(path) - page.anchors == set(), path


def test_every_public_name_is_in_the_reference(site):
    """Each name of the package's root has its place in the reference."""
    anchors = {
        anchor for name, page in site.items() if name.startswith("reference/") and page for anchor in page.anchors
    }
    homes = {name: f"toapis_async.{home}.{name}" for home, names in toapis_async._HOMES.items() for name in names}
    assert {name for name, home in homes.items() if home not in anchors} == set()


def test_every_command_is_in_the_reference():
    """Each command of the program has its line."""
    told = (ROOT / "docs" / "reference" / "command-line.md").read_text("utf-8")
    assert [name for name in _COMMANDS if not re.search(rf"^\| `toapis {name}\b", told, re.MULTILINE)] == []
