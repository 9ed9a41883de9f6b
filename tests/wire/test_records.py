"""Requests and records, written for the journal and read back."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.errors import InvalidRequestError
from toapis_async.values.files import SavedFile
from toapis_async.values.records import ItemRecord, ItemState
from toapis_async.values.requests import GenerationRequest, ImageRequest, RoleReference, VideoRequest
from toapis_async.wire.records import decode_record, decode_request, encode_facts, encode_request, relative_name

TEXT = st.text(st.characters(), max_size=12)
MAYBE = st.none() | TEXT
REFERENCE = TEXT | st.binary(max_size=6) | st.sampled_from([Path("style.png"), Path("/r/ä b.png"), Path("\udcff.png")])
PLAIN_OR_ROLE = REFERENCE | st.builds(RoleReference, source=REFERENCE, role=TEXT)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
EXTRA = st.dictionaries(TEXT, JSON, max_size=3)
NUMBER = st.none() | st.floats(allow_nan=False, allow_infinity=False)


def several(one: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(one, max_size=3).map(tuple)


IMAGES = st.builds(
    ImageRequest,
    TEXT,
    model=TEXT,
    size=MAYBE,
    resolution=MAYBE,
    reference_images=several(REFERENCE),
    n=st.integers(0, 9),
    mask=st.none() | REFERENCE,
    temperature=NUMBER,
    seed=st.none() | st.integers(),
    id=MAYBE,
    client_business_id=MAYBE,
    extra=EXTRA,
)
VIDEOS = st.builds(
    VideoRequest,
    TEXT,
    model=TEXT,
    duration=NUMBER,
    reference_images=several(PLAIN_OR_ROLE),
    reference_videos=several(PLAIN_OR_ROLE),
    reference_audios=several(PLAIN_OR_ROLE),
    first_frame=st.none() | REFERENCE,
    last_frame=st.none() | REFERENCE,
    audio=st.none() | st.booleans(),
    extra=EXTRA,
)
REQUESTS: st.SearchStrategy[GenerationRequest] = IMAGES | VIDEOS
OUT = Path("/runs/out")
FILES = st.builds(
    SavedFile,
    uri=st.sampled_from([OUT / "a.png", OUT / "sub" / "ä.png", Path("/elsewhere/x.png")]),
    bytes=st.integers(0),
    sha256=TEXT,
    mime=TEXT,
    width=st.none() | st.integers(0),
    height=st.none() | st.integers(0),
    mtime_ns=st.none() | st.integers(),
)
TIME = st.floats(0, 2e9)
RECORDS = st.builds(
    ItemRecord,
    key=TEXT,
    state=st.sampled_from(ItemState),
    attempt=st.integers(1, 9),
    client_business_id=TEXT,
    request=REQUESTS,
    task_id=MAYBE,
    doubtful=st.booleans(),
    spare_task_ids=several(TEXT),
    past_task_ids=several(TEXT),
    kind=st.sampled_from(["image", "video"]),
    accepted_at=st.none() | TIME,
    urls=several(TEXT),
    expires_at=st.none() | TIME,
    cost_usd=MAYBE,
    files=several(FILES),
    error_type=MAYBE,
    error_message=MAYBE,
    intended_at=TIME,
    ended_at=st.none() | TIME,
)


@given(request=REQUESTS)
def test_requests_come_back_equal(request: GenerationRequest) -> None:
    """Whatever a request holds, lone surrogates, bytes and paths included, is read back as it was written."""
    text = encode_request(request)
    assert text.isascii()
    assert decode_request(text) == request


@given(record=RECORDS)
def test_records_come_back_equal(record: ItemRecord) -> None:
    """Whatever a record holds is read back as it was written, by the directory that it was written for."""
    facts = encode_facts(record, OUT)
    assert facts.isascii()
    assert decode_record(record.key, record.state.value, encode_request(record.request), facts, OUT) == record


def test_defaults_that_say_something_are_written() -> None:
    """The model and the number go to the disk, so that other defaults of a later version change no request."""
    expected = '{"kind":"image","prompt":"x","model":"gemini-2.5-flash-image-preview","n":1'
    assert encode_request(ImageRequest("x")).startswith(expected)


def test_files_move_with_their_directory() -> None:
    """A run's directory may be renamed between runs: the files are where the directory is now."""
    file = SavedFile(uri=OUT / "a.png", bytes=1, sha256="0", mime="image/png")
    record = ItemRecord(
        key="a", state=ItemState.SAVED, attempt=1, client_business_id="", request=ImageRequest("x"), files=(file,)
    )
    moved = decode_record("a", "saved", encode_request(record.request), encode_facts(record, OUT), Path("new"))
    assert [file.path for file in moved.files] == [Path("new/a.png")]


@pytest.mark.parametrize("root", ["s3://bucket/july", "s3://bucket/july/"])
def test_files_at_an_address_keep_it(root: str) -> None:
    """An address comes back letter for letter, whether it is below the run's root or elsewhere."""
    files = tuple(
        SavedFile(uri=uri, bytes=1, sha256="0", mime="image/png")
        for uri in ("s3://bucket/july/a.png", "s3://other/b.png", "gs://bucket/c.png")
    )
    record = ItemRecord(
        key="a", state=ItemState.SAVED, attempt=1, client_business_id="", request=ImageRequest("x"), files=files
    )
    facts = encode_facts(record, root)
    assert files == decode_record("a", "saved", encode_request(record.request), facts, root).files
    assert '["a.png",' in facts


@pytest.mark.parametrize(
    "extra", [{"x": b"bytes"}, {"x": object()}, {"x": {1, 2}}, {("a", "b"): 1}], ids=["bytes", "object", "set", "key"]
)
def test_what_json_cannot_say_is_refused(extra: dict[str, object]) -> None:
    """A request that cannot be kept is refused before it is sent, as the caller's mistake."""
    with pytest.raises(InvalidRequestError, match="cannot be written as JSON"):
        encode_request(ImageRequest("x", extra=extra))


def test_circles_are_refused() -> None:
    """A value that contains itself is refused as well."""
    circle: dict[str, object] = {}
    circle["again"] = circle
    with pytest.raises(InvalidRequestError):
        encode_request(ImageRequest("x", extra=circle))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"kind":"song"}', '{"kind":"image","prompt":"x","tempo":3}', "7"]
)
def test_damaged_requests_are_value_errors(text: str) -> None:
    """What is no request, or has fields of a later version, is an error and not another request."""
    with pytest.raises(ValueError):
        decode_request(text)


@pytest.mark.parametrize(
    ("state", "facts"),
    [("saved", "{}"), ("lost", '{"attempt":1,"client_business_id":""}'), ("saved", "[]"), ("saved", '{"files":[[1]]}')],
)
def test_damaged_records_are_value_errors(state: str, facts: str) -> None:
    """What is no record is an error and not another record."""
    with pytest.raises(ValueError):
        decode_record("a", state, encode_request(ImageRequest("x")), facts, OUT)


@pytest.mark.parametrize(
    ("path", "directory", "expected"),
    [
        ("out/a.png", "out", "a.png"),
        ("out/sub/a.png", "out", "sub/a.png"),
        ("a.png", ".", "a.png"),
        ("/a.png", "/", "a.png"),
        ("outer/a.png", "out", "outer/a.png"),
        ("/x/a.png", "out", "/x/a.png"),
    ],
)
def test_relative_names(path: str, directory: str, expected: str) -> None:
    """Files are named from their directory with slashes; those elsewhere keep their whole name."""
    assert relative_name(path.replace("/", os.sep), Path(directory)) == expected


@pytest.mark.parametrize("kind", [ImageRequest, VideoRequest])
def test_an_object_of_the_caller_s_own_is_never_written(kind: type[ImageRequest | VideoRequest]) -> None:
    """What is carried for the caller stays in memory, whatever it is; label and priority come back."""
    request = kind("fox", model="m", context=object(), label="tenant-7", priority=0)
    again = decode_request(encode_request(request))

    assert "context" not in encode_request(request)
    assert (again, again.context, again.label, again.priority) == (request, None, "tenant-7", 0)
