"""Which columns of a table are which fields of a request, and what becomes of the others."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import attrs

from toapis_async.errors import InvalidRequestError
from toapis_async.policy.requests.spelling import did_you_mean
from toapis_async.values.columns import CarriedColumns
from toapis_async.values.kinds import KINDS
from toapis_async.wire.plain_text import plain

REQUEST_FIELDS = dict.fromkeys(
    [*(name for kind in KINDS.values() for name, form in kind.forms.items() if form != "anything"), "kind"]
).keys()
"""What a line or a row can say, by name; an object of a program's own has no place in a file."""
# Half of all data sets have a column of that name which means something else.
_ONLY_IF_NAMED = frozenset({"label", "namespace", "priority"})

Fields: TypeAlias = Mapping[str, Any]
Violations: TypeAlias = tuple[str, ...]


@attrs.frozen
class ColumnPlan:
    """What to do with the columns of one table.

    Attributes:
        fields: field and column.
        carried: columns that go along as context.
        left: columns that are not used.

    """

    fields: tuple[tuple[str, str], ...]
    carried: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def used(self) -> tuple[str, ...]:
        """The columns that have to be read."""
        return tuple(dict.fromkeys([*(column for _, column in self.fields), *self.carried]))

    def fields_of(self, row: Fields) -> dict[str, Any]:
        """Take a row's fields, by their own names."""
        return {field: row[column] for field, column in self.fields if column in row}

    def context_of(self, row: Fields) -> CarriedColumns | None:
        """Take what goes along with a row, or None."""
        return CarriedColumns({name: row[name] for name in self.carried if name in row}) if self.carried else None


@attrs.frozen(kw_only=True)
class Columns:
    """What the user said about the columns.

    A column whose name is a field's is that field, unless another column is named for it; but where others are left,
    ``label``, ``namespace`` and ``priority`` have to be named.

    Attributes:
        fields: the column of each field that was named.
        carried: columns that go into the manifest as ``context``; ``all`` takes every one that is no field.
        others: what becomes of the rest: ``left`` out, or ``refused``, since it may be a misspelled field.

    """

    fields: Mapping[str, str] = attrs.field(factory=dict)
    carried: tuple[str, ...] | Literal["all"] = ()
    others: Literal["left", "refused"] = "refused"

    @classmethod
    def written(cls, fields: str | None, carried: str | None) -> "Columns":
        """Read ``prompt=caption,id=key`` and ``label,source`` (or ``all``), as on the command line; None says nothing.

        Raises:
            InvalidRequestError: it is not written like that, or names no field of a request.

        """
        pairs = dict(_pair(part) for part in _parts(fields))
        names = tuple(_parts(carried))
        return cls(
            fields=pairs,
            carried="all" if names == ("all",) else names,
            others="refused" if fields is None and carried is None else "left",
        )

    @property
    def given(self) -> bool:
        """Whether anything was said."""
        return bool(self.fields or self.carried or self.others == "left")

    def plan(self, names: Sequence[str]) -> ColumnPlan | Violations:
        """Decide what to do with the columns of a table, or tell what is wrong with them.

        Args:
            names: of the table's columns.

        """
        wrong = [_missing(column, names) for column in self.fields.values() if column not in names]
        if self.carried != "all":
            wrong += [_missing(column, names) for column in self.carried if column not in names]
        if wrong:
            return tuple(wrong)
        named = set(self.fields.values())
        own = [(_plain(name), name) for name in names if name not in named]
        if self.others == "left":
            own = [(field, name) for field, name in own if field not in _ONLY_IF_NAMED]
        fields = [*self.fields.items()]
        fields += [(field, name) for field, name in own if field in REQUEST_FIELDS and field not in self.fields]
        twice = sorted({field for field, _ in fields if sum(field == one for one, _ in fields) > 1})
        if twice:
            return (f"the header names {plain(', '.join(twice))} twice",)
        if not any(field == "prompt" for field, _ in fields):
            return (_no_prompt(names),)
        taken = {column for _, column in fields}
        rest = [name for name in names if name not in taken]
        if self.others == "refused":  # as fields, so that each line is told of those that it uses
            return ColumnPlan((*fields, *((name, name) for name in rest)))
        carried = tuple(rest) if self.carried == "all" else self.carried
        return ColumnPlan(tuple(fields), carried, tuple(name for name in rest if name not in carried))


def columns_from(body: Mapping[str, Any]) -> Columns:
    """Read back what ``attrs.asdict`` made of ``Columns``, by way of JSON."""
    carried = body.get("carried", ())
    return Columns(**{**body, "carried": tuple(carried) if isinstance(carried, list) else carried})


def unknown_field(name: str) -> str:
    """Say that a line or a column has a name that no field has."""
    meant = did_you_mean(name, REQUEST_FIELDS)
    known = "" if meant else f"; known are {', '.join(REQUEST_FIELDS)}"
    return f"there is no field {plain(repr(name)[:60])}{meant}{known}"


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _pair(part: str) -> tuple[str, str]:
    field, equals, column = (side.strip() for side in part.partition("="))
    if not equals or not column:
        raise InvalidRequestError(
            f"{plain(part)!r} names no column.", hint="Write field=column, such as prompt=caption,id=key"
        )
    if field not in REQUEST_FIELDS:
        raise InvalidRequestError(f"In --columns: {unknown_field(field)}.", hint="Write field=column, such as id=key")
    return field, column


def _plain(name: str) -> str:
    return name.strip().lower()


def _missing(column: str, names: Sequence[str]) -> str:
    meant = did_you_mean(column, names)
    has = "" if meant else f"; it has {plain(', '.join(names))}"
    return f"there is no column {plain(repr(column))}{meant}{has}"


def _no_prompt(names: Sequence[str]) -> str:
    return f"the header has no column prompt; it has {plain(', '.join(names))}; to name one: --columns prompt=COLUMN"
