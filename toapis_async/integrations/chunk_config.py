"""What a run inside an engine is told; travels to its workers by pickle."""

import os
from collections.abc import Mapping
from typing import Literal
from uuid import uuid4

import attrs

from toapis_async.errors import ConfigurationError
from toapis_async.storage.files.bucket_sink import is_bucket
from toapis_async.values.files import is_address


@attrs.frozen(kw_only=True)
class ChunkConfig:
    """How rows become images, wherever the engine makes them.

    Attributes:
        run_id: the run's fixed name: given again after a crash, nothing is paid for again; another one is another run.
        state: where the run is remembered: a directory that all workers share, or a bucket (``s3://…``).
        output: where files go: a directory that all workers share, or a bucket.
        in_flight: the most tasks in flight for one worker.
        prompt_column: the column with the prompts.
        id_column: the column that names a row, unique in the run; None makes names of what is asked for, and equal
            rows are then told apart only within a chunk.
        columns: further fields of a request by their columns, such as ``{"size": "ratio"}``, beside those whose names
            are fields already.
        on_failed: ``"column"`` leaves a failed row with its error in columns, ``"raise"`` raises the first error.
        client: settings of ``AsyncToAPIs`` that pickle, such as ``rate_limits``; the key is best left to the
            environment of the workers.
        store_options: for buckets, obstore's own keys in one mapping.
        job: tells one start of the job from the next; made anew with each configuration.

    """

    run_id: str
    state: str
    output: str
    in_flight: int = 600
    prompt_column: str = "prompt"
    id_column: str | None = None
    columns: Mapping[str, str] = attrs.field(factory=dict)
    on_failed: Literal["column", "raise"] = "column"
    client: Mapping[str, object] = attrs.field(factory=dict, repr=False)
    store_options: Mapping[str, object] = attrs.field(factory=dict, repr=False)
    job: str = attrs.field(factory=lambda: uuid4().hex)

    def __attrs_post_init__(self) -> None:
        if not self.run_id:
            raise ConfigurationError("run_id must be a name: it is what makes a retried row known.")
        if type(self.in_flight) is not int or self.in_flight < 1:
            raise ConfigurationError(f"in_flight must be a whole number from 1, not {self.in_flight!r}.")
        if self.on_failed not in {"column", "raise"}:
            raise ConfigurationError(f"on_failed must be 'column' or 'raise', not {self.on_failed!r}.")
        for name in ("state", "output"):
            place = os.fspath(getattr(self, name))
            if not place or (is_address(place) and not is_bucket(place)):
                raise ConfigurationError(f"{name} must be a directory that all workers share, or a bucket.")

    @property
    def fields(self) -> dict[str, str]:
        """Which column is which field of a request."""
        named = {} if self.id_column is None else {"id": self.id_column}
        return {**self.columns, "prompt": self.prompt_column, **named}
