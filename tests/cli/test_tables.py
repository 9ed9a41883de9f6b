"""``toapis batch`` from a table, and ``toapis export``."""

import json
from decimal import Decimal

import pyarrow as pa
import pytest
from pyarrow import feather, ipc, parquet

from toapis_async.storage.manifest.manifest import read_manifest
from toapis_async.testing import Fail, Fault

TABLE = pa.table(
    {
        "caption": [f"fox {n}" for n in range(6)],
        "key": [f"k{n}" for n in range(6)],
        "label": ["x", None] * 3,
        "price": pa.array([Decimal("1.50")] * 6),
    }
)
COLUMNS = ("--columns", "prompt=caption,id=key")


def stream_file(table, path):
    with ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("data.parquet", parquet.write_table),
        ("data.feather", feather.write_feather),
        ("data.arrow", feather.write_feather),
        ("data.arrows", stream_file),
    ],
)
async def test_a_table_becomes_a_folder(toapis, gateway, quick, tmp_path, name, write):
    """Each row is an item by its key; what is not used is told; columns go along into the manifest."""
    path, out = tmp_path / name, tmp_path / "out"
    write(TABLE, str(path))
    async with gateway() as sim:
        ended = await toapis("batch", path, "-o", out, *COLUMNS, "--context", "label,price", *quick)
        assert sim.books.accepted == 6

    assert ended.code == 0, ended.err
    assert sorted(ended.lines) == [str(out / f"k{n}.png") for n in range(6)]
    lines = {one["id"]: one for one in map(json.loads, (out / "manifest.jsonl").read_text().splitlines())}
    assert {key: line["context"] for key, line in lines.items()} == {
        f"k{n}": {"label": "x" if n % 2 == 0 else None, "price": "1.50"} for n in range(6)
    }


async def test_columns_of_a_table_that_are_not_used_are_told(toapis, gateway, quick, tmp_path):
    """A table may hold much else; it is left with a notice."""
    parquet.write_table(TABLE, tmp_path / "data.parquet")
    ended = await toapis("batch", tmp_path / "data.parquet", "-o", tmp_path / "out", *COLUMNS, "--dry-run")

    assert ended.code == 0
    assert "not used: label, price" in ended.err
    assert "6 requests" in ended.out


async def test_csv_with_columns(toapis, gateway, quick, tmp_path):
    """The columns of a CSV file can be named too, and then others are left out."""
    path = tmp_path / "data.csv"
    path.write_text("Caption;key;label\na fox;f;x\n")
    async with gateway():
        ended = await toapis(
            "batch", path, "-o", tmp_path / "out", "--columns", "prompt=Caption,id=key", "--context", "all", *quick
        )

    assert ended.code == 0, ended.err
    assert '"context": {"label": "x"}' in (tmp_path / "out" / "manifest.jsonl").read_text()


async def test_without_columns_an_unknown_one_of_a_csv_is_refused(toapis, tmp_path):
    """It may be a misspelled field."""
    path = tmp_path / "data.csv"
    path.write_text("prompt,sizes\na fox,16:9\n")
    ended = await toapis("batch", path, "-o", tmp_path / "out", "--dry-run")

    assert ended.code == 2
    assert "there is no field 'sizes' (did you mean 'size'?)" in ended.err


async def test_a_row_that_is_wrong_is_named_by_its_number(toapis, tmp_path):
    """Nothing is sent, and each bad row is told."""
    table = pa.table({"prompt": ["a", "", None, "d"], "n": pa.array([1, 1, 1, 99], pa.int64())})
    parquet.write_table(table, tmp_path / "data.parquet")
    ended = await toapis("batch", tmp_path / "data.parquet", "-o", tmp_path / "out", "--dry-run")

    assert ended.code == 2
    assert "data.parquet:2: prompt is missing" in ended.err
    assert "data.parquet:3: prompt is missing" in ended.err
    assert "data.parquet:4: n 99 is too large" in ended.err


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ("prompt=captoin", "there is no column 'captoin' (did you mean 'caption'?)"),
        ("promt=caption", "there is no field 'promt' (did you mean 'prompt'?)"),
        ("caption", "names no column"),
    ],
)
async def test_wrong_columns(toapis, tmp_path, columns, sentence):
    """A slip is named before anything is sent."""
    parquet.write_table(TABLE, tmp_path / "data.parquet")
    ended = await toapis("batch", tmp_path / "data.parquet", "-o", tmp_path / "out", "--columns", columns, "--dry-run")

    assert ended.code == 2
    assert sentence in ended.err


@pytest.mark.parametrize("name", ["data.parquet", "data.arrow"])
async def test_a_broken_table_is_refused(toapis, tmp_path, name):
    """What is no table says so, in one line."""
    (tmp_path / name).write_bytes(b"PAR1 and nothing more")
    ended = await toapis("batch", tmp_path / name, "-o", tmp_path / "out", "--dry-run")

    assert ended.code == 2
    assert "cannot be read" in ended.err
    assert "Traceback" not in ended.err


async def test_a_resumed_table_keeps_its_columns(toapis, gateway, quick, tmp_path):
    """Resume knows the columns, and the manifest that is made anew keeps what went along."""
    parquet.write_table(TABLE, tmp_path / "data.parquet")
    out = tmp_path / "out"
    async with gateway(faults=[Fault(where="task", what=Fail(), nth=(3, 6))]) as sim:
        first = await toapis("batch", tmp_path / "data.parquet", "-o", out, *COLUMNS, "--context", "label", *quick)
        again = await toapis("resume", out, "--retry-failed", *quick)
        assert sim.books.accepted == 8

    assert (first.code, again.code) == (3, 0)
    entries = {entry.id: entry for entry in read_manifest(out)}
    assert {entry.context is None for entry in entries.values()} == {False}
    assert len(entries) == 6


async def test_export(toapis, gateway, quick, tmp_path):
    """The manifest as a table: a row for each item, with exact costs, dates and what went along."""
    parquet.write_table(TABLE, tmp_path / "data.parquet")
    out, place = tmp_path / "out", tmp_path / "out.parquet"
    async with gateway():
        await toapis("batch", tmp_path / "data.parquet", "-o", out, *COLUMNS, "--context", "label", *quick)
    place.write_bytes(b"of yesterday")
    ended = await toapis("export", out, place)

    assert (ended.code, ended.lines) == (0, [str(place)])
    rows = parquet.read_table(place).to_pylist()
    entries = list(read_manifest(out))
    assert [row["id"] for row in rows] == [entry.id for entry in entries]
    for row, entry in zip(rows, entries, strict=True):
        assert row["path"] == entry.files[0].path.as_posix()
        assert row["cost_usd"] == entry.cost_usd == Decimal("0.012")
        assert row["ended_at"] == entry.ended_at
        assert json.loads(row["context"]) == entry.context
    assert [path.name for path in tmp_path.glob(".*")] == []


async def test_export_needs_a_manifest_and_a_name(toapis, tmp_path):
    """What cannot be exported is refused with what to give."""
    no_run = await toapis("export", tmp_path, tmp_path / "a.parquet")
    no_name = await toapis("export", tmp_path, tmp_path / "a.csv")

    assert (no_run.code, no_name.code) == (2, 2)
    assert "holds no manifest.jsonl" in no_run.err
    assert "no Parquet file by its name" in no_name.err
