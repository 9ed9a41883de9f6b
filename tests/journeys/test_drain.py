"""Stopping in every phase, softly and at once; whoever is paid for is found again."""

import asyncio
from contextlib import suppress

import attrs
import pytest

from toapis_async import FixedPolling
from toapis_async.testing import Constant, Delay, Drop, Fault, Scenario, SlowFile, Stall

PLAIN = Scenario(latency=Constant(0.2), files="small")
SEVEN = tuple(range(2, 9))
# Each scenario holds every item up in one phase, for long enough to stop there.
PHASES = {
    "waiting for a slot": attrs.evolve(PLAIN, latency=Constant(0.4)),
    "before the POST arrives": attrs.evolve(PLAIN, faults=(Fault(where="submit", what=Delay(seconds=0.3)),)),
    "after the POST has arrived": attrs.evolve(
        PLAIN, faults=(Fault(where="submit", what=Delay(seconds=0.3, after_acceptance=True)),)
    ),
    "reconciling what was accepted": attrs.evolve(
        PLAIN, faults=(Fault(where="submit", what=Drop(after_acceptance=True), nth=SEVEN),), lookup_lag=0.25
    ),
    "reconciling what was not": attrs.evolve(PLAIN, faults=(Fault(where="submit", what=Drop(), nth=SEVEN),)),
    "polling": attrs.evolve(PLAIN, latency=Constant(0.5)),
    "downloading": attrs.evolve(
        PLAIN, latency=Constant(0.05), faults=(Fault(where="file", what=SlowFile(bytes_per_second=4000)),)
    ),
}
INSTANTS = (0.05, 0.25, 0.45)


async def test_drained_runs_finish_what_is_paid_for(journey, at_once):
    """After drain() nothing is sent any more, what was accepted is saved, and the next run does the rest."""

    async def stop(phase, after):
        async with journey(PHASES[phase], count=16, name=f"{phase} {after}") as going:
            async with (
                going.client() as client,
                client.session(going.directory, max_concurrency=8) as session,
                asyncio.TaskGroup() as tasks,
            ):
                running = tasks.create_task(session.run(going.requests()))
                await asyncio.sleep(after)
                session.drain()
                on_the_way = going.sim.books.posts + 8
                report = await running
            assert going.sim.books.posts <= on_the_way
            assert report.saved == going.sim.books.accepted
            assert (report.failed, report.unknown) == (0, 0)
            await going.run()
            going.assert_charged_once()
            going.assert_on_disk()

    await at_once({f"{phase} {after}": stop(phase, after) for phase in PHASES for after in INSTANTS})


@pytest.mark.parametrize("how", ["cancelled", "left", "raised"])
async def test_runs_stopped_at_once_lose_nothing(journey, at_once, how):
    """A run that is cancelled, left early or ended by an exception is clean at once and is gone on with later."""

    async def use(going, after):
        async with going.client() as client, client.session(going.directory, max_concurrency=8) as session:
            stream = session.stream(going.requests())
            async with asyncio.timeout(None if how == "cancelled" else after):
                async for _ in stream:
                    pass
            if how == "raised":
                raise TimeoutError
            await stream.aclose()

    async def stop(phase, after):
        async with journey(PHASES[phase], count=16, name=f"{phase} {after}") as going:
            running = asyncio.create_task(use(going, after))
            if how == "cancelled":
                await asyncio.sleep(after)
                running.cancel()
            with suppress(asyncio.CancelledError, TimeoutError):
                await running
            going.assert_never_charged_twice()
            assert set(going.directory.glob(".*.part")) == set()
            await going.run()
            going.assert_charged_once()
            going.assert_on_disk()

    await at_once({f"{phase} {after}": stop(phase, after) for phase in PHASES for after in INSTANTS})


async def test_late_tasks_give_their_slot_back_and_stay_resumable(journey, counted):
    """A task that outlasts its patience is unfinished, holds nobody up, and is found by the next run."""
    never = Fault(where="task", what=Stall(seconds=900), match="number 1")
    async with journey(attrs.evolve(PLAIN, faults=(never,)), count=20) as going:
        outcomes, report = await going.run(patience_seconds=20.0, max_concurrency=6)
        assert counted(outcomes) == {"Saved": 9, "Unfinished": 11}
        late = [outcome for outcome in outcomes if not outcome.ok]
        assert {type(outcome.error).__name__ for outcome in late} == {"TaskTimeoutError"}
        assert all(outcome.task is not None and not outcome.unknown for outcome in late)
        assert (report.unfinished, report.unknown, report.failed) == (11, 0, 0)
        assert sum(line["status"] == "unfinished" for line in going.manifest().values()) == 11
        going.sim.clock.advance(900)
        _, report = await going.run(resume=True)
        assert report.saved == 11
        going.assert_charged_once()
        going.assert_on_disk()


CALLS = {
    "before": attrs.evolve(PLAIN, faults=(Fault(where="submit", what=Delay(seconds=0.3)),)),
    "during": attrs.evolve(PLAIN, faults=(Fault(where="submit", what=Delay(seconds=0.3, after_acceptance=True)),)),
    "asking": attrs.evolve(
        PLAIN, faults=(Fault(where="submit", what=Drop(after_acceptance=True), first=1),), lookup_lag=0.2
    ),
    "waiting": attrs.evolve(PLAIN, latency=Constant(10)),
}


@pytest.mark.parametrize("phase", CALLS)
async def test_a_cancelled_call_is_heard_of(journey, phase):
    """Whoever cancels generate() leaves a record of what became of its submission, and no second charge."""
    async with journey(CALLS[phase], count=1) as going:
        heard = []
        async with going.client(on_abandoned=heard.append, polling=FixedPolling(1.0)) as client:
            call = asyncio.create_task(client.images.generate(prompt="a fox"))
            while not going.sim.books.requests["submit"]:
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.1)
            call.cancel()
            with suppress(asyncio.CancelledError):
                await call
        (abandoned,) = heard
        assert tuple(heard) == client.abandoned
        (task,) = going.sim.gateway.tasks.values()
        assert abandoned.task is not None
        assert abandoned.task.id == task.id
        assert abandoned.client_business_id == task.client_business_id
        going.assert_charged_once(["a fox"])


async def test_calls_cancelled_at_any_instant_leave_no_task_unrecorded(journey):
    """Forty calls, each cancelled at another instant: every accepted task is in the caller's hands or the hook's."""
    scenario = attrs.evolve(PLAIN, faults=(Fault(where="submit", what=Delay(seconds=0.05, after_acceptance=True)),))
    async with journey(scenario, count=40) as going:
        heard = []
        async with going.client(on_abandoned=heard.append, polling=FixedPolling(1.0)) as client:

            async def call(number, prompt):
                async with asyncio.timeout(number * 0.01):
                    return await client.images.generate(prompt=prompt)

            results = await asyncio.gather(*map(call, range(40), going.prompts), return_exceptions=True)
        known = {result.id for result in results if not isinstance(result, BaseException)}
        known |= {abandoned.task.id for abandoned in heard if abandoned.task is not None}
        assert set(going.sim.gateway.tasks) == known
        going.assert_never_charged_twice()
