"""Status queries and files that go wrong: every image is saved, and nothing is charged twice."""

import attrs

from toapis_async.testing import (
    Drop,
    Fault,
    ForbiddenUntilLookup,
    HtmlFile,
    InvalidJson,
    Refuse,
    Reset,
    Scenario,
    Truncate,
    Uniform,
)

QUERIES = (
    Fault(where="query", what=Refuse(reply="internal_error"), probability=0.025),
    Fault(where="query", what=Refuse(reply="html_504"), probability=0.025),
    Fault(where="query", what=Drop(), probability=0.025),
    Fault(where="query", what=InvalidJson(), probability=0.025),
)
FILES = (
    Fault(where="file", what=ForbiddenUntilLookup(), probability=0.025, first=1, per="prompt"),
    Fault(where="file", what=ForbiddenUntilLookup(fresh_url=True), probability=0.025, first=1, per="prompt"),
    Fault(where="file", what=Truncate(), probability=0.02),
    Fault(where="file", what=Truncate(declared=False), probability=0.02),
    Fault(where="file", what=Reset(), probability=0.03),
    Fault(where="file", what=HtmlFile(), probability=0.03),
)


SURE = tuple(
    attrs.evolve(fault, probability=1.0, first=1, per="call")
    for fault in (*QUERIES, *FILES)
    if isinstance(fault.what, Drop | Reset | ForbiddenUntilLookup)
)


async def test_flaky_queries_and_files_cost_nothing(journey, counted):
    """One query in ten fails or is unreadable, one transfer in ten breaks, one file in twenty is forbidden."""
    scenario = Scenario(latency=Uniform(0.05, 0.5), files="small", faults=(*SURE, *QUERIES, *FILES))
    async with journey(scenario, seed=3) as going:
        outcomes, report = await going.run()
        assert counted(outcomes) == {"Saved": going.count}
        assert report.complete
        going.assert_charged_once()
        going.assert_on_disk()
        assert {"Refuse", "Drop", "ForbiddenUntilLookup", "Reset"} <= set(going.sim.books.faults)
        assert going.sim.books.with_key["file"] == 0


async def test_broken_transfers_go_on_where_the_host_allows_it(journey):
    """Every first transfer breaks in its middle: with ranges the rest is fetched, without them the whole again."""
    breaks = Fault(where="file", what=Reset(fraction=0.6), first=1, per="prompt")
    sent = {}
    for ranges in (True, False):
        scenario = Scenario(
            latency=Uniform(0.0, 0.1), files="small", small_bytes=60_000, faults=(breaks,), ranges=ranges
        )
        async with journey(scenario, count=12, name=f"out-{ranges}") as going:
            await going.run()
            going.assert_charged_once()
            going.assert_on_disk()
            sent[ranges] = going.sim.books.bytes_sent
    assert sent[True] < sent[False]


async def test_a_fresh_link_is_worth_several_looks(journey):
    """Looks for a fresh link that fail in every way are repeated, since the file is paid for."""
    what = (InvalidJson(), Refuse(reply="html_504"), InvalidJson(), Drop(), Refuse(reply="internal_error"))
    faults = [Fault(where="file", what=ForbiddenUntilLookup(fresh_url=True), first=1, per="prompt")]
    # The first look finds the task completed; those after it are for the link.
    faults += [Fault(where="query", what=one, nth=number, per="prompt") for number, one in enumerate(what, start=2)]
    async with journey(Scenario(latency=Uniform(0.0, 0.05), files="small", faults=faults), count=6) as going:
        _, report = await going.run()
        assert report.complete
        going.assert_charged_once()
        going.assert_on_disk()
