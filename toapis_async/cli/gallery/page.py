"""The gallery's pages; needs jinja2."""

from collections.abc import Iterator, Sequence
from importlib.resources import files

from jinja2 import Environment, Template
from markupsafe import Markup

from toapis_async.cli.gallery.cards import Card, Totals


def _template() -> Template:
    folder = files("toapis_async.cli.gallery")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.globals["style"] = Markup(folder.joinpath("page.css").read_text("utf-8"))  # noqa: S704  # our own file
    environment.globals["script"] = Markup(folder.joinpath("page.js").read_text("utf-8"))  # noqa: S704  # our own file
    return environment.from_string(folder.joinpath("page.html").read_text("utf-8"))


def render(title: str, cards: Sequence[Card], totals: Totals, *, page: int, pages: int) -> Iterator[str]:
    """Render one page, piece by piece; every text in it is escaped."""
    return _template().generate(title=title, cards=cards, totals=totals, page=page, pages=pages, name=page_name)


def page_name(number: int) -> str:
    """Return the file name of a page, counted from 1."""
    return "index.html" if number == 1 else f"index-{number}.html"
