"""Scenarios with names."""

import difflib

from toapis_async.errors import ConfigurationError
from toapis_async.testing.scenario.faults import Fault
from toapis_async.testing.scenario.latency import Constant, LogNormal, Uniform
from toapis_async.testing.scenario.misbehaviour import (
    Delay,
    Drop,
    Fail,
    ForbiddenUntilLookup,
    HtmlFile,
    InvalidJson,
    MoveUrl,
    Refuse,
    Reset,
    SlowFile,
    Stall,
    StatusWord,
    Truncate,
    WithoutUrl,
)
from toapis_async.testing.scenario.settings import Scenario
from toapis_async.testing.scenario.webhook_faults import Repeat, WrongSignature
from toapis_async.values.limits import RateLimits

_LOST_REPLIES = (
    Fault(where="submit", what=Drop(after_acceptance=True), probability=0.10),
    Fault(where="submit", what=Drop(), probability=0.10),
    Fault(where="submit", what=Refuse(reply="html_504", after_acceptance=True), probability=0.05),
    Fault(where="submit", what=Refuse(reply="html_502"), probability=0.05),
    Fault(where="submit", what=Refuse(reply="rate_limited", retry_after=1), probability=0.05),
)
_FLAKY_QUERIES = (
    Fault(where="query", what=Refuse(reply="internal_error"), probability=0.025),
    Fault(where="query", what=Refuse(reply="html_504"), probability=0.025),
    Fault(where="query", what=Drop(), probability=0.025),
    Fault(where="query", what=InvalidJson(), probability=0.025),
)
_FLAKY_FILES = (
    Fault(where="file", what=ForbiddenUntilLookup(fresh_url=True), probability=0.05, first=1, per="prompt"),
    Fault(where="file", what=Truncate(), probability=0.04),
    Fault(where="file", what=Reset(), probability=0.03),
    Fault(where="file", what=HtmlFile(), probability=0.03),
)

_ALL = (
    Scenario(name="calm", summary="everything goes well and takes about a second", latency=Uniform(0.5, 1.5)),
    Scenario(name="instant", summary="everything goes well at once", latency=Constant(0)),
    Scenario(
        name="realistic",
        summary="the default tier's limits and the durations of a real image model",
        latency=LogNormal(20, 0.35),
        tier="default",
        billing="late",
    ),
    Scenario(
        name="rate-limited",
        summary="20 submissions and 100 queries a second, told in headers",
        latency=Uniform(0.5, 1.5),
        tier=RateLimits(submit_per_second=20, submit_burst=20, query_per_second=100, query_burst=100),
    ),
    Scenario(
        name="rate-limited-silent",
        summary="the same limits, and a 429 says nothing but no",
        latency=Uniform(0.5, 1.5),
        tier=RateLimits(submit_per_second=20, submit_burst=20, query_per_second=100, query_burst=100),
        rate_headers=None,
        retry_after=False,
    ),
    Scenario(
        name="busy",
        summary="429 while 40 tasks are unfinished",
        latency=Uniform(0.5, 1.5),
        max_unfinished=40,
    ),
    Scenario(
        name="lost-replies",
        summary="one submission in three goes wrong, before or after the gateway took it; lookups lag 2 s",
        faults=_LOST_REPLIES,
        lookup_lag=2.0,
    ),
    Scenario(
        name="no-client-ids",
        summary="lost replies at a gateway that ignores client_business_id",
        faults=_LOST_REPLIES,
        keeps_client_ids=False,
    ),
    Scenario(name="flaky-queries", summary="one status query in ten fails or is unreadable", faults=_FLAKY_QUERIES),
    Scenario(
        name="flaky-files",
        summary="files break off, turn into pages, or are forbidden until looked up",
        faults=_FLAKY_FILES,
    ),
    Scenario(
        name="slow-files",
        summary="files trickle at 200 kB a second",
        faults=(Fault(where="file", what=SlowFile(bytes_per_second=200_000)),),
    ),
    Scenario(name="short-links", summary="result links die after ten seconds", link_life=10.0),
    Scenario(name="slow-tasks", summary="tasks take minutes, with a long tail", latency=LogNormal(120, 0.8)),
    Scenario(
        name="stuck-tasks",
        summary="one task in ten never ends",
        faults=(Fault(where="task", what=Stall(seconds=float("inf")), probability=0.1),),
    ),
    Scenario(
        name="failing-tasks",
        summary="one task in five fails and is refunded",
        faults=(
            Fault(where="task", what=Fail(), probability=0.1),
            Fault(
                where="task",
                what=Fail(message="Generation failed: Content violates the content policy"),
                probability=0.1,
            ),
        ),
    ),
    Scenario(
        name="odd-words",
        summary="unknown and empty statuses, addresses in other places, completed before there is an address",
        faults=(
            Fault(where="query", what=StatusWord(word="processing"), every=3),
            Fault(where="query", what=StatusWord(word=""), every=4),
            Fault(where="query", what=MoveUrl(place="top_level"), probability=0.3),
            Fault(where="query", what=MoveUrl(place="both"), probability=0.2),
            Fault(where="query", what=WithoutUrl(), probability=0.1),
        ),
        words=("pending", "submitted", "queued", "in_progress"),
    ),
    Scenario(
        name="lossy-webhooks",
        summary="one webhook in five is lost, one in five comes twice, others are late or wrongly signed",
        latency=Uniform(0.5, 1.5),
        faults=(
            Fault(where="webhook", what=Drop(), probability=0.2),
            Fault(where="webhook", what=Repeat(seconds=0.2), probability=0.2),
            Fault(where="webhook", what=Delay(seconds=2), probability=0.1),
            Fault(where="webhook", what=WrongSignature(), probability=0.05),
        ),
    ),
    Scenario(name="broke", summary="the balance pays for ten cheap images", balance_usd="0.12"),
    Scenario(
        name="overloaded",
        summary="the submit limiter and the channels are down now and then: 503 of every kind",
        faults=(
            Fault(where="submit", what=Refuse(reply="rate_limit_unavailable", retry_after=1), probability=0.1),
            Fault(where="submit", what=Refuse(reply="circuit_broken"), probability=0.05),
            Fault(where="submit", what=Refuse(reply="plain_503", after_acceptance=True), probability=0.05),
            Fault(where="submit", what=Refuse(reply="plain_503"), probability=0.05),
        ),
    ),
    Scenario(
        name="bad-day",
        summary="lost replies, flaky queries and files, late answers, failing tasks: all at once",
        lookup_lag=1.0,
        faults=(
            *_LOST_REPLIES,
            *_FLAKY_QUERIES,
            *_FLAKY_FILES,
            Fault(where="query", what=Delay(seconds=0.3), probability=0.05),
            Fault(where="task", what=Fail(), probability=0.02),
        ),
    ),
)

SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _ALL}
"""The named scenarios; each says in ``summary`` what it is for."""


def scenario_named(name: str) -> Scenario:
    """One of the library.

    Raises:
        ConfigurationError: there is none of that name.

    """
    if name in SCENARIOS:
        return SCENARIOS[name]
    near = difflib.get_close_matches(name, SCENARIOS, n=1)
    raise ConfigurationError(
        f"there is no scenario {name!r}",
        hint=f"did you mean {near[0]!r}?" if near else "take one of " + ", ".join(SCENARIOS),
    )
