"""The gallery's page: one file of HTML with its style, its script and its data inside."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

# In the order in which they build on each other; a page of the file system can load no modules.
_SCRIPTS = (
    "elements", "results", "layout", "grid", "selection", "viewer", "compare", "trouble", "charts", "follow", "main"
)  # fmt: skip
_STYLES = ("look", "parts")
# A script element ends at "</script", whatever stands before it, and "<!--" changes how it is read.
_IN_MARKUP = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def render(title: str, data: Mapping[str, object]) -> str:
    """Return the page; no text in *data* or *title* can become markup or script."""
    script, style = _joined(_SCRIPTS, "js"), _joined(_STYLES, "css")
    holes = {
        "title": html.escape(title),
        "policy": _policy(script, style),
        "style": style,
        "script": script,
        "data": json_text(data),
    }
    # One pass: what is put into a hole is not looked at again.
    return re.sub(r"\{\{(\w+)\}\}", lambda hole: holes[hole[1]], _text("index.html"))


def call_text(name: str, data: Mapping[str, object]) -> str:
    """Return a script that hands *data* to a function of the page: how a page of the file system can read a file."""
    return f"{name}({json_text(data)});\n"


def json_text(data: Mapping[str, object]) -> str:
    """Return JSON that is also JavaScript and can stand in a script element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.translate(_IN_MARKUP)


def _policy(script: str, style: str) -> str:
    """Return the content security policy: nothing but our own script and style, and files that lie beside the page.

    ``strict-dynamic`` lets our script, and nothing that is written in the page, load the data that it follows.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "img-src 'self' file:",
            "media-src 'self' file:",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}' 'strict-dynamic'",
            "require-trusted-types-for 'script'",
            "trusted-types follow",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _joined(names: tuple[str, ...], ending: str) -> str:
    text = "\n".join(_text(f"{name}.{ending}") for name in names)
    return f'\n"use strict";\n(() => {{\n{text}}})();\n' if ending == "js" else f"\n{text}"


def _text(name: str) -> str:
    return files("toapis_async.cli.gallery").joinpath("web", name).read_text("utf-8")
