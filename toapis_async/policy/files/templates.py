"""File names by the user's template, such as ``{date}-{slug}-{index}``, that every file system takes."""

from string import Formatter

import attrs

from toapis_async.errors import ConfigurationError
from toapis_async.policy.files.naming import harmless, slug

FIELDS = ("id", "index", "model", "size", "date", "slug")
_UNSAID = "unknown"


@attrs.frozen(kw_only=True)
class FileNaming:
    """What files are called.

    Attributes:
        template: with ``{id}``, ``{index}`` (from 1), ``{model}``, ``{size}`` (in pixels, as the file has it),
            ``{date}`` (UTC, 2026-07-28) and ``{slug}`` (the prompt's first words). What is not known is ``unknown``,
            or nothing for a prompt. Everything that some file system would not take becomes a dash, slashes too.
        id: the task's, or the item's key.
        model: or None.
        date: or empty.
        prompt: or empty.

    """

    template: str
    id: str
    model: str | None = None
    date: str = ""
    prompt: str = ""

    def stem(self, index: int, *, width: int | None, height: int | None) -> str:
        """Return the name of one file, before its extension; at most 100 bytes of UTF-8, never empty."""
        facts = {
            "id": self.id,
            "index": str(index + 1),
            "model": self.model or _UNSAID,
            "size": f"{width}x{height}" if width and height else _UNSAID,
            "date": self.date or _UNSAID,
            "slug": slug(self.prompt),
        }
        return harmless(self.template.format_map(facts)) or "file"

    @property
    def tells_files_apart(self) -> bool:
        """Whether the files of one task have different names by it."""
        return "index" in _fields(self.template)


def check_template(template: str, *, of_items: bool = False) -> None:
    """Refuse a template that names what there is not.

    Args:
        template: as given.
        of_items: whether many items are named by it, which needs what tells them apart.

    Raises:
        ConfigurationError: it does, its braces do not fit, or it would give all items one name.

    """
    try:
        unknown = [field for field in _fields(template) if field not in FIELDS]
    except ValueError as error:
        raise ConfigurationError(f"name={template!r} is no template: {error}.", hint=_hint()) from error
    if unknown or not template.strip():
        what = f"names {unknown[0]!r}" if unknown else "is empty"
        raise ConfigurationError(f"name={template!r} {what}.", hint=_hint())
    if of_items and "id" not in _fields(template):
        raise ConfigurationError(f"name={template!r} has no {{id}}, so that items would share names.", hint=_hint())


def _fields(template: str) -> list[str]:
    """Return what stands between braces, with whatever follows a name there."""
    return [
        field + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
        for _, field, spec, conversion in Formatter().parse(template)
        if field is not None
    ]


def _hint() -> str:
    return f"There are {', '.join('{' + field + '}' for field in FIELDS)}; double a brace that is meant as one."
