"""A scenario as a TOML file."""

import difflib
import tomllib
from collections.abc import Mapping

import attrs

from toapis_async.errors import ConfigurationError
from toapis_async.testing.scenario.faults import Fault
from toapis_async.testing.scenario.latency import Constant, LatencyModel, LogNormal, Mixture, Uniform
from toapis_async.testing.scenario.library import scenario_named
from toapis_async.testing.scenario.misbehaviour import KINDS
from toapis_async.testing.scenario.settings import RateHeaders, Scenario
from toapis_async.values.limits import TIERS, RateLimits

_SELECTORS = ("where", "what", "probability", "nth", "every", "first", "per", "match")


def scenario_from_toml(text: str) -> Scenario:
    """Read a scenario: the fields of ``Scenario``, ``base`` for a named one to start from, and ``[[faults]]``.

    A fault has the fields of ``Fault``; ``what`` is a word of ``KINDS``, and the fields of that misbehaviour stand
    beside it. A latency is a number of seconds, ``{median, sigma}``, ``{low, high}`` or a list of
    ``{weight, …}`` tables. ``tier`` is a tier's name, ``"none"`` or a table of ``RateLimits``.

    Raises:
        ConfigurationError: no TOML, an unknown field, or a value that does not fit.

    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"the scenario is no TOML: {error}", hint="mend the line that it names") from error
    base = document.pop("base", "calm")
    if not isinstance(base, str):
        raise _misfit("base", "the name of a scenario")
    _know(document, [field.name for field in attrs.fields(Scenario)], "the scenario")
    document.setdefault("name", "custom")
    document.setdefault("summary", "")
    try:
        with_values = {name: _READERS.get(name, _as_it_is)(value) for name, value in document.items()}
        return attrs.evolve(scenario_named(base), **with_values)  # type: ignore[arg-type]
    except (TypeError, ValueError, ArithmeticError) as error:
        raise ConfigurationError(f"the scenario does not fit: {error}", hint="see Scenario for its fields") from error


def _as_it_is(value: object) -> object:
    return value


def _faults(value: object) -> tuple[Fault, ...]:
    if not isinstance(value, list):
        raise _misfit("faults", "[[faults]] tables")
    return tuple(_fault(_table(entry, "faults"), number) for number, entry in enumerate(value, 1))


def _fault(table: Mapping[str, object], number: int) -> Fault:
    place = f"fault {number}"
    what = table.get("what")
    if not isinstance(what, str) or what not in KINDS:
        raise _unknown(str(what), list(KINDS), f"{place}: what")
    kind = KINDS[what]
    own = [field.name for field in attrs.fields(kind) if field.init]
    _know(table, [*_SELECTORS, *own], place)
    selectors = {name: value for name, value in table.items() if name in _SELECTORS and name != "what"}
    try:
        misbehaviour = kind(**{name: _frozen(value) for name, value in table.items() if name in own})  # type: ignore[arg-type]
        return Fault(what=misbehaviour, **selectors)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{place} does not fit: {error}", hint="see Fault for its fields") from error


def _frozen(value: object) -> object:
    if isinstance(value, list):
        return tuple(_frozen(entry) for entry in value)
    return value


def _latency(value: object) -> LatencyModel:
    if isinstance(value, list):
        return Mixture(tuple(_weighted(_table(entry, "latency")) for entry in value))
    return _distribution(value)


def _weighted(table: Mapping[str, object]) -> tuple[float, Constant | Uniform | LogNormal]:
    weight = table.get("weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or weight <= 0:
        raise _misfit("weight", "a number above zero")
    rest = {name: part for name, part in table.items() if name != "weight"}
    return float(weight), _distribution(rest.get("seconds", rest))


def _distribution(value: object) -> Constant | Uniform | LogNormal:
    match value:
        case bool():
            pass
        case int() | float():
            return Constant(value)
        case {"median": int() | float() as median, "sigma": int() | float() as sigma, **rest} if not rest:
            return LogNormal(median, sigma)
        case {"median": int() | float() as median, **rest} if not rest:
            return LogNormal(median)
        case {"low": int() | float() as low, "high": int() | float() as high, **rest} if not rest:
            return Uniform(low, high)
    raise _misfit("latency", "seconds, {median, sigma}, {low, high} or a list of those with a weight")


def _latencies(value: object) -> dict[str, LatencyModel]:
    return {model: _latency(entry) for model, entry in _table(value, "latencies").items()}


def _tier(value: object) -> RateLimits | None:
    if value == "none":
        return None
    if isinstance(value, str):
        if value not in TIERS:
            raise _unknown(value, [*TIERS, "none"], "tier")
        return TIERS[value]
    try:
        return RateLimits(**_table(value, "tier"))  # type: ignore[arg-type]
    except TypeError as error:
        raise _misfit("tier", "a tier's name, 'none' or the four numbers of RateLimits") from error


def _rate_headers(value: object) -> RateHeaders | None:
    if value is False:
        return None
    try:
        return RateHeaders(**_table(value, "rate_headers"))  # type: ignore[arg-type]
    except TypeError as error:
        raise _misfit("rate_headers", "false or {limit, reset}") from error


_READERS = {
    "faults": _faults,
    "latency": _latency,
    "latencies": _latencies,
    "tier": _tier,
    "rate_headers": _rate_headers,
}


def _table(value: object, name: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _misfit(name, "a table")
    return value


def _know(table: Mapping[str, object], known: list[str], place: str) -> None:
    for name in table:
        if name not in known:
            raise _unknown(name, known, place)


def _unknown(name: str, known: list[str], place: str) -> ConfigurationError:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "known are " + ", ".join(known)
    return ConfigurationError(f"{place}: there is no {name!r}", hint=hint)


def _misfit(name: str, wanted: str) -> ConfigurationError:
    return ConfigurationError(f"{name!r} does not fit", hint=f"it takes {wanted}")
