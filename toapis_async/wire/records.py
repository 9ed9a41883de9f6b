"""What the journal keeps <-> JSON text.

A request is written once, when it is intended; the other facts of its item are written again at each change. What
is empty is left out; a default that says something (the model, ``n``) is written, so that a later version with other
defaults goes on with the same request. The text is plain ASCII, so that anything a user, a gateway or a file system
puts into a string (lone surrogates too) goes to the disk and comes back as it was.
"""

import base64
import json
import os
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeAlias

import attrs

from toapis_async.errors import InvalidRequestError
from toapis_async.values.files import SavedFile, is_address
from toapis_async.values.kinds import KINDS, REQUESTS, fields_of_form, kind_of
from toapis_async.values.records import ItemRecord, ItemState
from toapis_async.values.requests import GenerationRequest, Reference, RoleReference

Root: TypeAlias = str | os.PathLike[str]
"""Where the files of a run are: a directory, or an address such as ``s3://bucket/july``."""

_encode = json.JSONEncoder(separators=(",", ":")).encode
_decode = json.JSONDecoder().raw_decode

_CLASSES: dict[str, type[GenerationRequest]] = {name: kind.request for name, kind in KINDS.items()}
_REFERENCES = fields_of_form("reference", "references")
_TUPLES = frozenset({"urls", "spare_task_ids", "past_task_ids"})
_OWN_COLUMNS = frozenset({"key", "state", "request", "files"})
_EMPTY: tuple[object, ...] = (None, (), {})
_STATES = {state.value: state for state in ItemState}


_REQUEST_FIELDS = {
    kind: (names, attrgetter(*names))
    for kind, names in (
        (kind, tuple(field.name for field in attrs.fields(kind) if field.name != "context")) for kind in REQUESTS
    )
}
_RECORD_FIELDS = tuple(field.name for field in attrs.fields(ItemRecord) if field.name not in _OWN_COLUMNS)
_record_values = attrgetter(*_RECORD_FIELDS)


def encode_request(request: GenerationRequest) -> str:
    """Write a request.

    Raises:
        InvalidRequestError: ``extra`` or another field holds what JSON cannot say.

    """
    body: dict[str, Any] = {"kind": kind_of(request).name}
    names, values_of = _REQUEST_FIELDS[type(request)]
    for name, value in zip(names, values_of(request), strict=True):
        if value is not None and value not in _EMPTY:
            body[name] = _encode_reference(value) if name in _REFERENCES else value
    try:
        return _encode(body)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequestError.refused((f"a field cannot be written as JSON ({error})",)) from error


def decode_request(text: str) -> GenerationRequest:
    """Read what ``encode_request`` wrote.

    Raises:
        ValueError: the text is damaged, or a newer version of the library wrote it.

    """
    try:
        return _request(_decode(text)[0])
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"no request: {error}") from error


def _request(body: dict[str, Any]) -> GenerationRequest:
    kind = _CLASSES[body.pop("kind")]
    if not _REFERENCES.isdisjoint(body):
        for name in _REFERENCES & body.keys():
            body[name] = _decode_reference(body[name])
    return kind(**body)


def _encode_reference(value: object) -> object:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, tuple | list):
        return [_encode_reference(one) for one in value]
    if isinstance(value, RoleReference):
        return {"source": _encode_reference(value.source), "role": value.role}
    if isinstance(value, os.PathLike):
        return {"path": os.fsdecode(value)}
    return value


def _decode_reference(value: object) -> object:
    if isinstance(value, list):
        return tuple(_decode_reference(one) for one in value)
    if not isinstance(value, dict):
        return value
    if "role" in value:
        return RoleReference(source=_decode_source(value["source"]), role=value["role"])
    return _decode_source(value)


def _decode_source(value: str | dict[str, str]) -> Reference:
    if isinstance(value, str):
        return value
    return base64.b64decode(value["base64"]) if "base64" in value else Path(value["path"])


def encode_facts(record: ItemRecord, root: Root) -> str:
    """Write what a record says beside its key, state and request.

    Files below ``root`` are written relative to it, so that the directory can be moved.
    """
    body: dict[str, Any] = {
        name: value
        for name, value in zip(_RECORD_FIELDS, _record_values(record), strict=True)
        if value is not None and value is not False and value != ()
    }
    if record.files:
        body["files"] = [encode_file(file, root) for file in record.files]
    return _encode(body)


def decode_record(key: str, state: str, request: str, facts: str, root: Root) -> ItemRecord:
    """Read a record back; ``root`` is where the run's files are now.

    Raises:
        ValueError: the text is damaged, or a newer version of the library wrote it.

    """
    try:
        return _record(key, state, _decode(request)[0], _decode(facts)[0], root)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"no record of an item: {error}") from error


def _record(key: str, state: str, request: dict[str, Any], facts: dict[str, Any], root: Root) -> ItemRecord:
    for name in _TUPLES & facts.keys():
        facts[name] = tuple(facts[name])
    if "files" in facts:
        facts["files"] = tuple([decode_file(file, root) for file in facts["files"]])
    return ItemRecord(key=key, state=_STATES[state], request=_request(request), **facts)


def encode_file(file: SavedFile, root: Root) -> list[Any]:
    """Write a file, its path relative to ``directory``."""
    return [
        relative_name(file.uri, root),
        file.bytes,
        file.sha256,
        file.mime,
        file.width,
        file.height,
        file.mtime_ns,
    ]


def decode_file(row: list[Any], root: Root) -> SavedFile:
    """Read what ``encode_file`` wrote; ``directory`` is where it is now."""
    name, length, sha256, mime, width, height, mtime_ns = row
    uri = uri_below(root, name)
    return SavedFile(uri=uri, bytes=length, sha256=sha256, mime=mime, width=width, height=height, mtime_ns=mtime_ns)


def relative_name(uri: str, root: Root) -> str:
    """Name a file relative to where the run's files are, with slashes on every system; files elsewhere keep it all."""
    text = os.fspath(root)
    if is_address(uri):
        return uri.removeprefix(text.rstrip("/") + "/") if is_address(text) else uri
    inside = uri if text == "." else uri.removeprefix(text if text.endswith(os.sep) else text + os.sep)
    return inside if os.sep == "/" else inside.replace(os.sep, "/")


def uri_below(root: Root, name: str) -> str:
    """Undo ``relative_name``.

    Raises:
        TypeError: the name is no text.

    """
    text = os.fspath(root)
    if is_address(name):
        return name
    if is_address(text):
        return f"{text.rstrip('/')}/{name}"
    # By way of a Path, so that a journal and a directory that name one file agree on its text.
    return str(Path(text, name))
