"""Exit codes, and how a run was started."""

import inspect
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async import errors
from toapis_async.batch.outcomes import Report
from toapis_async.cli.exits import Exit, exit_of, exit_of_report
from toapis_async.cli.runs.invocation import Memory
from toapis_async.cli.settings import ClientOptions, RunOptions, rate_limits_of, rate_of
from toapis_async.values.limits import RateLimits
from toapis_async.values.tasks import GenerationTask, TaskStatus

TASK = GenerationTask(id="t", kind="image", status=TaskStatus.FAILED)
FACTS = {
    "files": (),
    "missing": {},
    "http_status": 400,
    "task": TASK,
    "delivery": errors.Delivery.NEVER,
    "client_business_id": "x",
}
CODES = {
    errors.ConfigurationError: Exit.INVALID,
    errors.JournalDamagedError: Exit.INVALID,
    errors.InvalidRequestError: Exit.SOME_FAILED,
    errors.AuthenticationError: Exit.REFUSED,
    errors.InsufficientQuotaError: Exit.REFUSED,
    errors.PermissionDeniedError: Exit.REFUSED,
    errors.TaskFailedError: Exit.SOME_FAILED,
    errors.ContentPolicyError: Exit.SOME_FAILED,
    errors.ModelUnavailableError: Exit.SOME_FAILED,
    errors.NotFoundError: Exit.SOME_FAILED,
}
FAMILY = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ToAPIsError)]


@pytest.mark.parametrize("kind", FAMILY)
def test_every_error_has_a_code(kind):
    """What may be better later is 5; what has to be corrected is 2, 3 or 4."""
    wanted = {name for name in inspect.signature(kind).parameters if name in FACTS}
    error = kind("it broke", **{name: FACTS[name] for name in wanted})

    assert exit_of(error) is CODES.get(kind, Exit.UNFINISHED)


def test_our_own_refusal_is_invalid_input():
    """What we refused was not sent."""
    assert exit_of(errors.InvalidRequestError.refused(("prompt is empty",))) is Exit.INVALID


@pytest.mark.parametrize(
    ("facts", "left", "code"),
    [
        ({"saved": 3}, 0, Exit.DONE),
        ({"skipped": 3}, 0, Exit.DONE),
        ({"saved": 2, "failed": 1}, 0, Exit.SOME_FAILED),
        ({"saved": 2, "failed": 1, "unfinished": 1}, 0, Exit.UNFINISHED),
        ({"saved": 2}, 5, Exit.UNFINISHED),
        ({"saved": 2}, -1, Exit.DONE),
        ({"saved": 2, "stopped_by": errors.BudgetExceededError("cap")}, 5, Exit.UNFINISHED),
        ({"stopped_by": errors.AuthenticationError("no", http_status=401)}, 5, Exit.REFUSED),
    ],
)
def test_a_run_has_a_code(facts, left, code):
    """What stopped the run decides, then what can be resumed, then what failed."""
    assert exit_of_report(Report(directory=Path(), **facts), left=left) is code


OPTIONS = st.builds(
    RunOptions,
    client=st.builds(
        ClientOptions,
        base_url=st.none(),
        rate_limit=st.sampled_from(["auto", "none", "3/s"]),
        min_poll_interval=st.none() | st.floats(0.1, 100),
        validation=st.sampled_from(["strict", "warn", "off"]),
    ),
    max_concurrency=st.integers(1, 1000),
    download_workers=st.integers(1, 100),
    patience=st.none() | st.floats(1, 1e6),
    max_cost=st.none() | st.decimals(0, 1000, places=4),
    model=st.none() | st.text(),
    size=st.none() | st.text(),
    resolution=st.none() | st.text(),
)


@given(
    st.builds(
        Memory,
        input=st.none() | st.text(),
        form=st.sampled_from(["jsonl", "csv", "txt"]),
        name=st.text(),
        references_at=st.text(),
        base_url=st.text(),
        options=OPTIONS,
        demo=st.booleans(),
    )
)
def test_what_is_remembered_comes_back(memory):
    """Every option survives the journal, exact amounts included."""
    assert Memory.from_text(memory.to_text()) == memory


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"options": 5}', '{"options": {"client": {}, "max_cost": "x"}}']
)
def test_what_cannot_be_remembered_is_nothing(text):
    """A note of another version is no crash."""
    assert Memory.from_text(text) is None


@given(st.dictionaries(st.sampled_from(["form", "input", "name", "zzz"]), st.none() | st.text() | st.integers()))
def test_any_note_is_read_or_nothing(fields):
    """Nor is any other JSON."""
    memory = Memory.from_text(json.dumps({"options": {"client": {}, "max_cost": None}, **fields}))

    assert memory is None or "zzz" not in fields


@pytest.mark.parametrize(
    ("text", "rate"),
    [("12/s", 12.0), ("90/m", 1.5), ("0/s", None), ("-1/s", None), ("nan/s", None), ("inf/s", None), ("12", None)],
)
def test_rates(text, rate):
    """A rate is a number per second or per minute, above zero."""
    assert rate_of(text) == rate


def test_what_a_rate_limit_means():
    """Names stay names; a number becomes buckets of one second's worth."""
    assert rate_limits_of("none") is None
    assert rate_limits_of("vip") == "vip"
    expected = RateLimits(submit_per_second=0.5, submit_burst=1.0, query_per_second=5.0, query_burst=5.0)
    assert rate_limits_of("0.5/s") == expected


def test_the_cap_is_exact():
    """Money is never a float on its way through the journal."""
    memory = Memory(options=RunOptions(max_cost=Decimal("0.1")))

    assert Memory.from_text(memory.to_text()).options.max_cost == Decimal("0.1")
