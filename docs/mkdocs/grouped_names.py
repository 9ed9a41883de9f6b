"""For the site's reference: a docstring's line for several names (``width, height: pixels``) becomes one for each."""

import re

import griffe

_GROUP = re.compile(
    r"^(?P<indent> +)(?P<names>\*{0,2}\w+(?:, \*{0,2}\w+)+): (?P<text>[^\n]*(?:\n(?P=indent) +\S[^\n]*)*)", re.MULTILINE
)


def _one_by_one(match: re.Match[str]) -> str:
    return "\n".join(f"{match['indent']}{name}: {match['text']}" for name in match["names"].split(", "))


class GroupedNames(griffe.Extension):
    """Rewrites docstrings before they are parsed."""

    def on_object(self, *, obj: griffe.Object, **kwargs: object) -> None:
        """Rewrite one."""
        if obj.docstring is not None:
            obj.docstring.value = _GROUP.sub(_one_by_one, obj.docstring.value)
