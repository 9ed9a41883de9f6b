"""Links between pages: where they lead is there, on GitHub and on the site alike."""

import re
from urllib.parse import unquote

import pytest
from headings import anchors_of
from pages import PAGES, ROOT

TEXTS = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
_LINK = re.compile(r"(?<!!)\[[^\]\n]+\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path):
    """Each relative link names a file of the repository, and each anchor a heading in it."""
    broken = []
    for target in _LINK.findall(_FENCED.sub("", path.read_text("utf-8"))):
        link = unquote(target[0] or target[1])
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        file = (path.parent / name).resolve() if name else path
        if not file.exists() or (anchor and anchor not in anchors_of(file)):
            broken.append(link)
    assert broken == []


def test_links_of_the_site_stay_on_the_site():
    """No page of docs/ links to a file outside of it, which the site would not have."""
    outside = [
        f"{path.relative_to(ROOT)}: {link}"
        for path in PAGES
        if path.is_relative_to(ROOT / "docs")
        for link, _ in _LINK.findall(_FENCED.sub("", path.read_text("utf-8")))
        if not re.match(r"[a-z]+:|#", link)
        and not (path.parent / link.partition("#")[0]).resolve().is_relative_to(ROOT / "docs")
    ]
    assert outside == []


def test_every_page_can_be_reached():
    """Each page of docs/ is linked from the index, and each is in the site's navigation."""
    index = (ROOT / "docs" / "index.md").read_text("utf-8")
    navigation = (ROOT / "docs" / "mkdocs" / "mkdocs.yml").read_text("utf-8")
    pages = {str(path.relative_to(ROOT / "docs")) for path in PAGES if path.is_relative_to(ROOT / "docs")}
    linked = {link.partition("#")[0] for link, _ in _LINK.findall(index)}
    assert pages - linked - {"index.md"} == set()
    assert pages == set(re.findall(r"^ +- ([\w/-]+\.md)$", navigation, re.MULTILINE))
