"""The repository's pages, and the fenced blocks on them."""

import re
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

# A block may follow a comment that says how to run it, or why it is not run; readers do not see it.
_BLOCK = re.compile(
    r"(?:^<!-- (?P<marker>[^\n]*?) -->\n\n?)?^```(?P<language>\w*)(?P<more>[^\n]*)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@attrs.frozen
class Block:
    """A fenced block.

    Attributes:
        page: where it stands, from the repository's root.
        line: the line of its fence.
        language: the first word after the fence.
        title: the file that it is, or "".
        marker: what the comment before it says, or "".
        text: what is in it.

    """

    page: str
    line: int
    language: str
    title: str
    marker: str
    text: str

    @property
    def where(self):
        """For messages."""
        return f"{self.page}:{self.line}"

    def said(self, word):
        """What the marker says after a word such as ``not run``; None when it does not have that word."""
        head, _, rest = self.marker.partition(": ")
        return rest if head == word else None


def blocks_of(path):
    """Every fenced block of a page, in order."""
    text, found = path.read_text("utf-8"), []
    for match in _BLOCK.finditer(text):
        title = re.search(r'title="([^"]+)"', match["more"])
        body = match["text"]
        named = re.match(r"# ([\w./-]+\.py)\n", body) if match["language"] == "python" else None
        found.append(
            Block(
                page=str(path.relative_to(ROOT)),
                line=text[: match.start("text")].count("\n"),
                language=match["language"],
                title=title[1] if title else named[1] if named else "",
                marker=match["marker"] or "",
                text=body,
            )
        )
    return found
