"""Images inside Ray Data (extra ``ray``), in the manner of its own processors.

processor = build_toapis_processor(ToAPIsProcessorConfig(run_id="july", state="/shared/july", output="s3://b/july"))
dataset = processor(dataset)
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from math import ceil
from typing import TYPE_CHECKING, TypeAlias, cast

import attrs

from toapis_async.errors import ConfigurationError
from toapis_async.integrations.chunk_config import ChunkConfig
from toapis_async.integrations.chunk_rows import COLUMNS, FILE_FIELDS, Result, Row
from toapis_async.integrations.chunks import ChunkWorker

if TYPE_CHECKING:
    import pyarrow as pa
    from ray.data import Dataset

RowFunction: TypeAlias = Callable[[dict[str, object]], dict[str, object]]

_ARROW_TYPES = {
    "ok": "bool",
    "bytes": "int64",
    "width": "int64",
    "height": "int64",
    "cost_usd": "float64",
    "resumed": "bool",
}


@attrs.frozen(kw_only=True)
class ToAPIsProcessorConfig(ChunkConfig):
    """How a data set's rows become images; see ``ChunkConfig`` for the rest.

    Attributes:
        batch_size: rows of a chunk, which is claimed, and run again, as one.
        actors: how many processes; each has a client of its own, and ``in_flight`` counts for each.

    """

    batch_size: int = 100
    actors: int = 1

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        for name in ("batch_size", "actors"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ConfigurationError(f"{name} must be a whole number from 1, not {value!r}.")

    @property
    def batches_at_once(self) -> int:
        """How many an actor needs to fill ``in_flight``, and one to follow."""
        return ceil(self.in_flight / self.batch_size) + 1


class ToAPIsBatches:
    """The callable that Ray makes in each actor; takes and yields Arrow tables.

    Its client runs on a thread of its own, since Ray's machinery blocks the loop that it gives.

    Args:
        config: of the run.

    """

    def __init__(self, config: ToAPIsProcessorConfig) -> None:
        self._worker = ChunkWorker(config)

    async def __call__(self, table: "pa.Table") -> "AsyncIterator[pa.Table]":
        """Make the images of a batch; yields it with the added columns."""
        results = await asyncio.wrap_future(self._worker.submit(cast("list[Row]", table.to_pylist())))
        yield with_columns(table, results)

    def __del__(self) -> None:
        # Ray deletes the callable when its actor has nothing more to do.
        if hasattr(self, "_worker"):
            self._worker.close()


def with_columns(table: "pa.Table", results: list[Result]) -> "pa.Table":
    """Return a table with the columns that tell of its rows; those of the same name give way."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    file = pa.struct([(name, _ARROW_TYPES.get(name, "string")) for name in FILE_FIELDS])
    for name in COLUMNS:
        kind = pa.list_(file) if name == "files" else _ARROW_TYPES.get(name, "string")
        column = pa.array([result[name] for result in results], type=kind)
        table = table.drop_columns([name]) if name in table.column_names else table
        table = table.append_column(name, column)
    return table


def build_toapis_processor(
    config: ToAPIsProcessorConfig, *, preprocess: RowFunction | None = None, postprocess: RowFunction | None = None
) -> "Callable[[Dataset], Dataset]":
    """Return a function from a data set to one with images.

    Args:
        config: of the run. Give a job that is run again the same ``run_id``.
        preprocess: makes a row of the data set into one with a prompt; None where it has one.
        postprocess: makes a row of the result into what is wanted; None for all columns.

    Raises:
        ConfigurationError: Ray is not installed.

    """
    try:
        from ray.data import ActorPoolStrategy  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ConfigurationError("This needs Ray Data.", hint="pip install 'toapis-async[ray]'") from error

    def process(dataset: "Dataset") -> "Dataset":
        if preprocess is not None:
            dataset = dataset.map(preprocess)
        at_once = config.batches_at_once
        dataset = dataset.map_batches(
            ToAPIsBatches,
            fn_constructor_args=(config,),
            batch_size=config.batch_size,
            batch_format="pyarrow",
            zero_copy_batch=True,
            compute=ActorPoolStrategy(size=config.actors, max_tasks_in_flight_per_actor=at_once),
            max_concurrency=at_once,
            max_restarts=-1,
            max_task_retries=-1,
            num_cpus=0.1,
        )
        return dataset if postprocess is None else dataset.map(postprocess)

    return process
