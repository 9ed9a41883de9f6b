"""Rows of any table become requests."""

from collections import namedtuple
from dataclasses import dataclass

import attrs
import pyarrow as pa
import pytest

from toapis_async import rows
from toapis_async.errors import InvalidRequestError
from toapis_async.testing import Constant, Scenario, Simulator
from toapis_async.values.requests import ImageRequest, VideoRequest

TABLE = pa.table({"caption": ["a fox", "a cat"], "key": ["f", "c"], "size": ["16:9", None], "label": ["x", "y"]})
WANTED = [ImageRequest("a fox", id="f", size="16:9"), ImageRequest("a cat", id="c")]
COLUMNS = {"prompt": "caption", "id": "key"}


class Frame:
    """A DataFrame as pandas has it, as far as it is used."""

    def __init__(self, records):
        self.records = records
        self.iloc = self

    def __len__(self):
        return len(self.records)

    def __getitem__(self, part):
        return Frame(self.records[part])

    def to_dict(self, orient):
        assert orient == "records"
        return self.records


class Polar:
    """A DataFrame as polars has it."""

    def __init__(self, records):
        self.records = records

    def iter_rows(self, *, named):
        assert named
        return iter(self.records)


@dataclass
class Data:
    caption: str
    key: str
    size: str | None


@attrs.frozen
class Frozen:
    caption: str
    key: str
    size: str | None


Named = namedtuple("Named", ["caption", "key", "size"])


@pytest.mark.parametrize(
    "source",
    [
        TABLE,
        TABLE.to_batches()[0],
        TABLE.to_reader(),
        list(TABLE.to_batches(max_chunksize=1)),
        TABLE.to_pylist(),
        iter(TABLE.to_pylist()),
        Frame(TABLE.to_pylist()),
        Frame(
            [{"caption": "a fox", "key": "f", "size": "16:9"}, {"caption": "a cat", "key": "c", "size": float("nan")}]
        ),
        Polar(TABLE.to_pylist()),
        [Data("a fox", "f", "16:9"), Data("a cat", "c", None)],
        [Frozen("a fox", "f", "16:9"), Frozen("a cat", "c", None)],
        [Named("a fox", "f", "16:9"), Named("a cat", "c", None)],
    ],
    ids=lambda source: type(source).__name__,
)
def test_every_form_of_row(source):
    """Whatever holds the rows, the requests are the same."""
    assert list(rows(source, columns=COLUMNS)) == WANTED


def test_tuples_with_names():
    """Tuples and lists take their names in order."""
    made = rows([("a fox", "f"), ["a cat", "c"]], columns=("prompt", "id"))

    assert list(made) == [ImageRequest("a fox", id="f"), ImageRequest("a cat", id="c")]


def test_prompts_and_requests_pass():
    """A text is a prompt, and a request is one already."""
    made = list(rows(["a fox", ImageRequest("a cat", n=2), VideoRequest("a film", model="sora-2")], size="1:1"))

    assert made == [
        ImageRequest("a fox", size="1:1"),
        ImageRequest("a cat", n=2),
        VideoRequest("a film", model="sora-2"),
    ]


def test_columns_that_go_along():
    """Named columns become the context, or all that are no field; they are no part of the request."""
    (named, _), (every, _) = (list(rows(TABLE, columns=COLUMNS, context=one)) for one in (["label"], "all"))

    assert named.context == every.context == {"label": "x"}
    assert named == WANTED[0]


def test_rows_are_taken_lazily():
    """Nothing is taken before it is asked for."""
    taken = []
    source = (taken.append(n) or {"prompt": f"fox {n}"} for n in range(9))
    made = rows(source)
    next(made)

    assert taken == [0]


@pytest.mark.parametrize(
    ("source", "columns", "sentence"),
    [
        ([{"caption": "a"}], None, "Row 1: the header has no column prompt"),
        ([{"prompt": "a"}, {"prompt": "b", "n": "two"}], None, "Row 2: n is 'two'; it has to be a whole number"),
        ([{"prompt": "a"}], {"prompt": "captoin"}, "there is no column 'captoin'"),
        ([{"prompt": "a"}], {"promt": "prompt"}, "No request has a field 'promt'"),
        ([("a", "b")], None, "Row 1 is a tuple whose columns are not known"),
        ([("a", "b")], ("prompt",), "Row 1 is a tuple whose columns are not known"),
        ([7], None, "Row 1 is a int whose columns are not known"),
        ("a fox", None, "no table and no iterable of rows"),
        (7, None, "no table and no iterable of rows"),
        ([{"prompt": "a", "kind": "video"}], None, "videos have no default model"),
    ],
)
def test_what_is_no_row(source, columns, sentence):
    """The error names the row and what is wrong with it."""
    with pytest.raises(InvalidRequestError, match=sentence.replace("(", r"\(")):
        list(rows(source, columns=columns))


async def test_a_bad_row_fails_by_itself(tmp_path):
    """A row that breaks a rule of its model is an outcome; the others are made, with their columns in the manifest."""
    table = pa.table({"prompt": ["a fox", "a cat"], "size": ["17:9", "16:9"], "label": ["x", "y"]})
    async with (
        Simulator(Scenario(files="small", latency=Constant(0.01))) as sim,
        sim.client() as client,
        client.session(tmp_path) as session,
    ):
        outcomes = [one async for one in session.stream(rows(table, context=["label"]))]

    assert {one.item.request.prompt: one.ok for one in outcomes} == {"a fox": False, "a cat": True}
    assert {one.item.request.context["label"] for one in outcomes} == {"x", "y"}
    assert '"context": {"label": "y"}' in (tmp_path / "manifest.jsonl").read_text()
