"""SVG: XML that is well-formed to its end, with the root element ``svg``.

It is read and never drawn: nothing that it links to is fetched, no script runs, and entities that could grow are
refused. The parser holds one token at a time, of which an embedded picture is one, and the names of the elements
around it; both are bounded.
"""

import re
from collections.abc import Callable
from xml.parsers import expat

from toapis_async.errors import ContentMismatchError, TruncatedError
from toapis_async.policy.files.formats.incoming import Incoming, Walk

_ROOTS = frozenset({"http://www.w3.org/2000/svg svg", "svg"})
_LONGEST_ENTITY = 256
_LONGEST_TOKEN = 16 * 2**20
_DEEPEST = 10_000
# Counting elements costs half of the parsing again, so that small files, which can nest little, are spared.
_UNCOUNTED_BYTES = 2**20
_CUT = frozenset(
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
    )
)
_length = re.compile(r"\s*(\d+(?:\.\d+)?)(?:px)?\s*\Z").match
_view_box = re.compile(r"\s*-?[\d.]+[\s,]+-?[\d.]+[\s,]+(\d+(?:\.\d+)?)[\s,]+(\d+(?:\.\d+)?)\s*\Z").match


def walk_svg(incoming: Incoming) -> Walk[None]:
    """Parse to the end."""
    parser = expat.ParserCreate(namespace_separator=" ")

    def see_root(name: str, attributes: dict[str, str]) -> None:
        parser.StartElementHandler = None
        if name not in _ROOTS:
            raise ContentMismatchError(f"is XML, but no SVG: its root is {name[:80]!r}")
        _measure(attributes, incoming)

    parser.StartElementHandler = see_root
    parser.EntityDeclHandler = _check_entity
    count = _counter()
    waiting, unfinished = bytearray(), 0
    while not (yield from incoming.at_end()):
        waiting += memoryview(incoming.chunk)[incoming.at :]
        incoming.at = len(incoming.chunk)
        # Expat before 2.6 reads a token from its beginning whenever more of it comes: let it at least double first.
        if len(waiting) >= unfinished:
            _parse(parser, bytes(waiting), final=False)
            waiting.clear()
            unfinished = incoming.position - parser.CurrentByteIndex
        if incoming.position > _UNCOUNTED_BYTES:
            parser.StartElementHandler, parser.EndElementHandler = count
        if unfinished > _LONGEST_TOKEN:
            raise ContentMismatchError(f"has more than {_LONGEST_TOKEN} bytes between two brackets")
    _parse(parser, bytes(waiting), final=True)


def _counter() -> tuple[Callable[[str, object], None], Callable[[str], None]]:
    """Make handlers that refuse elements that are nested too deeply."""
    depth = 0

    def begin(_name: str, _attributes: object) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise ContentMismatchError("nests its elements too deeply")

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    return begin, end


def _parse(parser: expat.XMLParserType, text: bytes, *, final: bool) -> None:
    try:
        parser.Parse(text, final)
    except expat.ExpatError as error:
        kind = TruncatedError if final and error.code in _CUT else ContentMismatchError
        what = expat.errors.messages.get(error.code, "no XML")
        raise kind(f"is not well-formed at line {error.lineno}: {what}") from error
    except (LookupError, ValueError) as error:  # an encoding that Python does not have, or of several bytes
        raise ContentMismatchError(f"cannot be read: {error}") from error


def _check_entity(
    name: str,
    _parameter: bool,
    value: str | None,
    _base: str | None,
    _system: str | None,
    _public: str | None,
    _notation: str | None,
) -> None:
    """Allow short names for short texts, as Illustrator writes for its namespaces."""
    if value is None or len(value) > _LONGEST_ENTITY or "&" in value or "%" in value:
        raise ContentMismatchError(f"declares the entity {name[:80]!r}, which could grow")


def _measure(attributes: dict[str, str], incoming: Incoming) -> None:
    """Read the size in pixels, or else that of the view box; other units and percentages tell none."""
    width, height = _length(attributes.get("width", "")), _length(attributes.get("height", ""))
    box = _view_box(attributes.get("viewBox", ""))
    if width and height:
        incoming.measured(round(float(width[1])), round(float(height[1])))
    elif box:
        incoming.measured(round(float(box[1])), round(float(box[2])))
