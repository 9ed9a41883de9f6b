"""Names: of items, of their files, of their attempts. All of them are stable over runs, machines and versions.

What is ours in a file name follows a tilde: nothing before it can look like it, so no two items share a name.
"""

import json
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from itertools import chain
from itertools import count as count_from
from operator import attrgetter

import attrs

from toapis_async.values.kinds import KINDS, fields_of_form, kind_of
from toapis_async.values.requests import GenerationRequest, RoleReference

_STEM_BYTES = 100
_SLUG_CHARACTERS = 32
_CLIENT_ID_CHARACTERS = 96
_PLAIN_ASCII = re.compile(r"[a-z0-9_][a-z0-9._ -]*(?<![. ])\Z")
# Windows takes these for devices, with any extension.
_TASK_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}\Z")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:\.|\Z)", re.IGNORECASE)
_NOT_OF_THE_RESULT = frozenset({"id", "client_business_id", "callback_url", "context", "label", "priority"})
_canonical_json = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_ALWAYS_OF_THE_RESULT = frozenset({"prompt", "model"})
_REFERENCES = fields_of_form("reference", "references")
_NO_CONTENTS: Mapping[str, str] = {}


def file_stem(key: str) -> str:
    """Return the file name, without extension, of an item: the key itself where every file system can hold it.

    Otherwise its harmless part, then a tilde and 16 hexadecimal digits of the key's hash. That includes keys with
    capitals, since ``Cat`` and ``cat`` are one file on many machines. At most 100 bytes of UTF-8, never empty.
    """
    if _is_plain(key):
        return key
    mark = "~" + _hexadecimal(key, 16)
    return (_harmless(key, _STEM_BYTES - len(mark)) or "item") + mark


def task_stem(task_id: str) -> str:
    """Return the file name, without extension, of a single task: its id where that is plain, as the gateway's are."""
    plain = _TASK_ID.match(task_id) is not None and _DEVICE.match(task_id) is None
    return task_id if plain else file_stem(task_id)


def file_names(stem: str, index: int, count: int, extension: str, *, part: str = "") -> Iterator[str]:
    """Yield names for one of an item's files, the best first; the next ones are for when a stranger's file has it.

    ``stem.png`` alone, ``stem~1.png`` among several, ``stem~last-frame.png``; then ``stem~copy.png``,
    ``stem~copy-2.png`` and so on.

    Args:
        stem: by ``file_stem``.
        index: which of them, from 0.
        count: how many there are.
        extension: without the dot.
        part: what the file is beside the item's result proper, such as ``last-frame``.

    """
    marks = ([str(index + 1)] if count > 1 else []) + ([part] if part else [])
    for copy in chain(((), ("copy",)), (("copy", str(number)) for number in count_from(2))):
        yield "~".join(filter(None, (stem, "-".join((*marks, *copy))))) + "." + extension


def harmless(text: str) -> str:
    """Return what every file system takes of a text, dashes in place of the rest; at most 100 bytes, perhaps empty."""
    return _harmless(text, _STEM_BYTES)


def slug(prompt: str) -> str:
    """Return the prompt's first words in plain letters and digits, at most 32; empty when it has none."""
    plain = unicodedata.normalize("NFKD", prompt[:400]).encode("ascii", "ignore").decode().lower()
    words = re.findall("[a-z0-9]+", plain)
    text = "-".join(words)
    if len(text) <= _SLUG_CHARACTERS:
        return text
    kept = text[: _SLUG_CHARACTERS + 1].rpartition("-")[0]
    return kept or text[:_SLUG_CHARACTERS]


def item_key(request: GenerationRequest, ordinal: int, digest: str | None = None) -> str:
    """Return the key of a request in its run: the user's ``id``, else its slug and a digest of what it asks for.

    Args:
        request: as the user made it.
        ordinal: how many requests equal to it came before it in the run.
        digest: by ``request_digest``; None makes one in which local files count by their path.

    """
    if request.id is not None:
        return request.id
    name = "-".join(filter(None, (slug(request.prompt), digest or request_digest(request))))
    return f"{name}-{ordinal + 1}" if ordinal else name


def request_digest(request: GenerationRequest, contents: Mapping[str, str] = _NO_CONTENTS) -> str:
    """Return 16 hexadecimal digits of everything in the request that changes its result, and of its namespace.

    Fields at their default are left out, so that a later version of the library, with more fields, agrees.

    Args:
        request: as the user made it; references given as bytes count by their hash.
        contents: the sha256 of local files by their path. A file in it counts by that, wherever it lies; one that is
            not counts by its path, as in journals of earlier versions.

    """
    kind = kind_of(request).name
    asked: dict[str, object] = {"kind": kind}
    fields, values_of = _FIELDS_OF_THE_RESULT[kind]
    for (name, default), value in zip(fields, values_of(request), strict=True):
        if value is default and name not in _ALWAYS_OF_THE_RESULT:
            continue
        if value != default or name in _ALWAYS_OF_THE_RESULT:
            asked[name] = _by_content(value, contents) if contents and name in _REFERENCES else _canonical(value)
    return _hexadecimal(_canonical_json(asked), 16)


def client_business_id(run_id: str, key: str, attempt: int, *, own: str | None = None) -> str:
    """Return the reference of one attempt, at most 96 characters and safe in a URL's path unless ``own`` is not.

    Args:
        run_id: of the journal, or of the client for single calls.
        key: of the item.
        attempt: counts from 1.
        own: the user's reference: sent as it is first, and with ``-try2`` and so on at later attempts.

    """
    if own is None:
        return f"ta-{run_id}-{_hexadecimal(key, 20)}-{attempt}"
    if attempt == 1:
        return own
    suffix = f"-try{attempt}"
    if len(own) + len(suffix) > _CLIENT_ID_CHARACTERS:
        suffix = f"-{_hexadecimal(own, 16)}{suffix}"
    return own[: _CLIENT_ID_CHARACTERS - len(suffix)] + suffix


def _is_plain(key: str) -> bool:
    if len(key.encode("utf-8", "surrogatepass")) > _STEM_BYTES or _DEVICE.match(key):
        return False
    if key.isascii():
        return _PLAIN_ASCII.match(key) is not None
    # Must be a fixed point of everything that file systems do to names before they compare them.
    folds_to_itself = unicodedata.normalize("NFKC", key) == key == key.casefold() == key.upper().casefold()
    return folds_to_itself and _harmless(key, _STEM_BYTES) == key


def _harmless(text: str, limit: int) -> str:
    """Keep letters, digits and inner punctuation that every file system takes; cut at so many bytes of UTF-8."""
    composed = unicodedata.normalize("NFKC", text[: 4 * limit])
    kept = "".join(letter if _is_harmless(letter) else "-" for letter in composed)
    kept = re.sub("--+", "-", kept) if kept != composed else kept
    cut = kept.lstrip(" .-").encode("utf-8", "ignore")[:limit].decode("utf-8", "ignore").rstrip(" .-")
    return f"item-{cut}"[:limit] if _DEVICE.match(cut) else cut


def _is_harmless(letter: str) -> bool:
    return letter in "._- " or unicodedata.category(letter)[0] in "LNM"


def _hexadecimal(text: str, digits: int) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]


def _fields_of_the_result(
    kind: type[attrs.AttrsInstance],
) -> tuple[tuple[tuple[str, object], ...], Callable[[object], tuple[object, ...]]]:
    fields = tuple(
        (field.name, {} if field.name == "extra" else field.default)
        for field in attrs.fields(kind)
        if field.name not in _NOT_OF_THE_RESULT
    )
    return fields, attrgetter(*(name for name, _ in fields))


_FIELDS_OF_THE_RESULT = {name: _fields_of_the_result(kind.request) for name, kind in KINDS.items()}


def _canonical(value: object) -> object:
    """Turn a value into plain JSON that is the same for equal values, whatever their order or number type."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, bytes | bytearray | memoryview):
        return {"sha256": sha256(value).hexdigest()}
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    return _canonical_whole(value)


def _canonical_whole(value: object) -> object:
    if isinstance(value, RoleReference):
        return {"source": _canonical(value.source), "role": value.role}
    if isinstance(value, Mapping):
        return {str(name): _canonical(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(part) for part in value]
    if isinstance(value, set | frozenset):
        return sorted((_canonical(part) for part in value), key=json.dumps)
    return str(value)


def _by_content(value: object, contents: Mapping[str, str]) -> object:
    """Turn references into plain JSON, with files as the bytes that they hold: a path says nothing of its picture."""
    if isinstance(value, tuple):
        return [_by_content(part, contents) for part in value]
    if isinstance(value, RoleReference):
        return {"source": _by_content(value.source, contents), "role": value.role}
    content = contents.get(os.fsdecode(value)) if isinstance(value, str | os.PathLike) else None
    return _canonical(value) if content is None else {"sha256": content}
