"""Rows of any table as the requests of a run: ``session.stream(rows(table, columns={"prompt": "caption"}))``."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from toapis_async.errors import InvalidRequestError
from toapis_async.policy.requests.spelling import did_you_mean
from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue
from toapis_async.values.requests import GenerationRequest, ImageRequest, VideoRequest
from toapis_async.wire.prompt_fields import LineRules, fields_of_cells, read_request
from toapis_async.wire.table_columns import REQUEST_FIELDS, ColumnPlan, Columns, Violations
from toapis_async.wire.table_rows import mappings_of

_MOST_PLANS = 256


def rows(
    source: object,
    *,
    columns: Mapping[str, str] | Sequence[str] | None = None,
    context: Sequence[str] | Literal["all"] = (),
    model: str | None = None,
    size: str | None = None,
    resolution: str | None = None,
) -> Iterator[GenerationRequest]:
    """Make a request of each row, lazily; columns that are no field of a request are left out.

    The requests are checked when they are sent, like all others: a row that breaks a rule of its model fails by itself.

    Args:
        source: an Arrow table, record batches, a Parquet file or data set of pyarrow's, a DataFrame of pandas or
            polars, or any iterable of dicts, tuples, objects with attributes, prompts, or requests.
        columns: which column is which field (``{"prompt": "caption", "id": "key"}``), beside those whose names are
            fields already; or, for tuples, the columns' names in order.
        context: columns that go along as the request's ``context``, and into the manifest; ``all`` takes every one
            that is no field.
        model, size, resolution: for rows that do not say; None leaves them to the library's and the model's default.

    Raises:
        InvalidRequestError: a column is missing, or nothing can be made of a row; the rows before it were yielded.

    """
    renamed = columns if isinstance(columns, Mapping) else {}
    names = None if columns is None or isinstance(columns, Mapping) else tuple(columns)
    for field in renamed:
        if field not in REQUEST_FIELDS:
            raise InvalidRequestError(f"No request has a field {field!r}{did_you_mean(field, REQUEST_FIELDS)}.")
    carried: tuple[str, ...] | Literal["all"] = "all" if context == "all" else tuple(context)
    rules = LineRules(
        catalogue=packaged_catalogue(),
        model=model,
        size=size,
        resolution=resolution,
        columns=Columns(fields=renamed, carried=carried, others="left"),
    )
    return _requests(source, names, rules)


def _requests(source: object, names: Sequence[str] | None, rules: LineRules) -> Iterator[GenerationRequest]:
    plans: dict[tuple[str, ...], ColumnPlan] = {}
    for number, row in enumerate(mappings_of(source, names), 1):
        if isinstance(row, (ImageRequest, VideoRequest)):
            yield row
            continue
        columns = tuple(row)
        plan = plans.get(columns) or rules.columns.plan(columns)
        if isinstance(plan, tuple):
            raise _refused(plan, number)
        if len(plans) < _MOST_PLANS:  # rows of a table have the same columns; objects may have any
            plans[columns] = plan
        fields = fields_of_cells(plan.fields_of(row))
        request = fields if isinstance(fields, tuple) else read_request(fields, rules, plan.context_of(row))
        if isinstance(request, tuple):
            raise _refused(request, number)
        yield request


def _refused(wrong: Violations, number: int) -> InvalidRequestError:
    return InvalidRequestError(
        f"Row {number}: {'; '.join(wrong)}.",
        violations=wrong,
        hint="The rows before it were taken. Correct it and give the rows again: nothing is sent twice.",
    )
