"""Images inside Ray Data."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from toapis_async.errors import ConfigurationError
from toapis_async.integrations.chunk_rows import COLUMNS, FILE_FIELDS, failed
from toapis_async.integrations.ray import ToAPIsProcessorConfig, with_columns

pa = pytest.importorskip("pyarrow", reason="not installed: pyarrow (pip install 'toapis-async[arrow]')")
RUN = Path(__file__).parents[2] / "benchmarks" / "ray_run.py"
PLACES = {"run_id": "july", "state": "state", "output": "out"}


def test_columns_have_the_same_types_whatever_is_in_them():
    """A batch without a file and one with files have one schema, and the user's columns stay."""
    table = pa.table({"key": ["a"], "error": [7]})
    made = with_columns(table, [failed(ConfigurationError("no"))])
    assert ["key", *COLUMNS] == made.column_names
    assert (pa.int64(), pa.string(), pa.bool_()) == tuple(made.schema.field(n).type for n in ("bytes", "path", "ok"))
    file = {**dict.fromkeys(FILE_FIELDS), "path": "a.png", "bytes": 7}
    told = with_columns(table, [{**dict.fromkeys(COLUMNS), "files": [file, file]}])
    assert (made.schema, [[file, file]]) == (told.schema, told["files"].to_pylist())


def test_an_actor_takes_as_many_batches_as_fill_it():
    """Nobody has to know Ray's own knobs."""
    assert ToAPIsProcessorConfig(**PLACES, in_flight=600, batch_size=100).batches_at_once == 7
    assert ToAPIsProcessorConfig(**PLACES, in_flight=10, batch_size=100).batches_at_once == 2


@pytest.mark.parametrize("wrong", [{"actors": 0}, {"batch_size": 0}, {"run_id": ""}])
def test_wrong_settings_are_refused_at_once(wrong):
    """A configuration that cannot be is named where it is made."""
    with pytest.raises(ConfigurationError):
        ToAPIsProcessorConfig(**{**PLACES, **wrong})


@pytest.mark.ray
@pytest.mark.s3
@pytest.mark.timeout(300)
@pytest.mark.parametrize("place", ["directory", "claims"])
def test_what_dies_is_paid_once(place):
    """An actor dies, then the whole job, which is run again: every row is in the output, none was paid for twice."""
    pytest.importorskip("ray", reason="not installed: ray (pip install 'toapis-async[ray]')")
    pytest.importorskip("moto", reason="not installed: moto (pip install 'moto[server]')")
    claims = ["--claims"] if place == "claims" else []
    words = [sys.executable, str(RUN), "--rows", "120", "--latency", "2", "--kill", "both", "--at", "2", *claims]
    ended = subprocess.run(words, capture_output=True, text=True, check=True)
    told = json.loads(ended.stdout)
    assert tuple(told["found"][name] for name in ("rows", "keys", "ok")) == (120, 120, 120), told
    assert (told["paid twice"], told["prompts"]) == (0, 120)
