"""``kill -9`` at random instants, each followed by a resume: everything charged once, everything on the disk."""

import asyncio
from random import Random

import attrs
import pytest

from toapis_async.testing import Drop, Fault, Refuse, Scenario, Uniform

LOSSES = (
    Fault(where="submit", what=Drop(after_acceptance=True), probability=0.10),
    Fault(where="submit", what=Drop(), probability=0.10),
    Fault(where="submit", what=Refuse(reply="html_504", after_acceptance=True), probability=0.05),
    Fault(where="submit", what=Refuse(reply="html_502"), probability=0.05),
    Fault(where="submit", what=Refuse(reply="rate_limited"), probability=0.05),
)
CALM = Scenario(latency=Uniform(0.05, 0.3), files="small")
LOSSY = attrs.evolve(CALM, faults=LOSSES, lookup_lag=3 / 40)


async def killed(going, kills, random, **options):
    """Run, kill and run again so often; then to the end. Returns the last report."""
    for _ in range(kills):
        # Counted from the first sign of life, so that a slow start does not make every kill too early.
        posts = going.sim.books.posts
        process = await going.start(**options)
        after = random.uniform(0.0, 1.0)
        while going.sim.books.posts == posts and process.returncode is None:
            await asyncio.sleep(0.01)
        await asyncio.sleep(after)
        if process.returncode is None:
            process.kill()
        await process.communicate()
    return await going.start_and_finish(**options)


@pytest.mark.parametrize("scenario", [CALM, LOSSY], ids=["calm", "lossy"])
async def test_killed_runs_pay_once_and_keep_everything(journey, kills, scenario):
    """Every prompt is charged exactly once, every image is valid, no temporary file is left, the manifest is whole."""
    async with journey(scenario) as going:
        # Few at a time, so that the run lasts for all the kills.
        wide = max(4, going.count // (4 * kills))
        report = await killed(going, kills, Random(7), session={"max_concurrency": wide})
        assert report["complete"], report
        assert going.count == report["saved"] + report["skipped"]
        going.assert_charged_once()
        going.assert_on_disk()
        await going.fetched()


async def test_the_last_run_needs_no_input_to_finish_what_is_paid_for(journey):
    """After a kill ``resume()`` alone finishes everything that had been begun; the input then brings the rest."""
    async with journey(CALM) as going:
        await killed(going, 0, Random(1), prompts=1)
        process = await going.start(session={"max_concurrency": 10})
        while going.sim.books.accepted < 40:
            await asyncio.sleep(0.005)
        process.kill()
        await process.communicate()
        begun = [prompt for prompt, entry in going.sim.books.by_prompt.items() if entry.posts]
        await going.start_and_finish(resume=True)
        going.assert_charged_once(begun)
        going.assert_on_disk(begun)
        report = await going.start_and_finish()
        assert len(begun) == report["skipped"]
        going.assert_charged_once()
        going.assert_on_disk()


async def test_a_killed_command_is_resumed_by_the_command_that_it_names(journey, kills):
    """``toapis batch`` is killed, ``toapis resume`` is killed, and the last ``toapis resume`` ends with 0."""
    lost = Fault(where="submit", what=Drop(after_acceptance=True), probability=0.2)
    async with journey(attrs.evolve(CALM, faults=(lost,)), count=60) as going:
        source = going.directory.with_name("prompts.txt")
        source.write_text("".join(f"{prompt}\n" for prompt in going.prompts))
        pace = ("--base-url", going.sim.base_url, "--rate-limit", "none", "--min-poll-interval", "0.2", "--quiet")
        batch = ("batch", str(source), "-o", str(going.directory), *pace, "--max-concurrency", "6")
        resume = ("resume", str(going.directory), *pace, "--max-concurrency", "6")
        random = Random(3)
        for number in range(kills):
            posts = going.sim.books.posts
            process = await going.command(*(batch if number == 0 else resume))
            while going.sim.books.posts == posts and process.returncode is None:
                await asyncio.sleep(0.01)
            await asyncio.sleep(random.uniform(0.0, 0.7))
            if process.returncode is None:
                process.kill()
            await process.communicate()
        process = await going.command(*resume)
        _, complaints = await process.communicate()
        assert process.returncode == 0, complaints.decode()
        going.assert_charged_once()
        going.assert_on_disk()
