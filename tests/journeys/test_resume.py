"""A directory that was left in any way is gone on with: what is there is skipped, what is paid for is fetched."""

import asyncio
from decimal import Decimal

import attrs

from toapis_async import ImageRequest, VideoRequest
from toapis_async.testing import Constant, Drop, Fail, Fault, Scenario, Uniform

CALM = Scenario(latency=Uniform(0.02, 0.1), files="small")


def _without_faults(sim):
    sim.gateway.scenario = attrs.evolve(sim.gateway.scenario, faults=())
    sim.gateway.faults = type(sim.gateway.faults)((), 0)


async def test_a_finished_directory_is_skipped(journey, counted):
    """A second run of the same input asks the gateway for nothing and leaves every file as it is."""
    async with journey(CALM) as going:
        await going.run()
        before = {path: path.stat().st_mtime_ns for path in going.directory.glob("*.png")}
        calls = going.sim.books.requests.total()
        outcomes, report = await going.run()
        assert {"Saved": going.count} == counted(outcomes)
        assert going.count == report.skipped
        assert calls == going.sim.books.requests.total()
        assert before == {path: path.stat().st_mtime_ns for path in going.directory.glob("*.png")}
        going.assert_on_disk()


async def test_lost_and_changed_files_are_fetched_again(journey):
    """A file that was deleted, shortened or changed in place comes again from its task, without a new charge."""
    async with journey(CALM, count=12) as going:
        await going.run()
        gone, shorter, changed, touched = sorted(going.directory.glob("*.png"))[:4]
        gone.unlink()
        shorter.write_bytes(shorter.read_bytes()[:-1])
        changed.write_bytes(changed.read_bytes()[:-1] + b"?")
        touched.touch()
        downloads = going.sim.books.downloads
        _, report = await going.run()
        assert (report.saved, report.skipped) == (3, 9)
        assert downloads + 3 == going.sim.books.downloads
        going.assert_charged_once()
        going.assert_on_disk()


async def test_dead_links_are_renewed_by_a_look(journey):
    """Where links have died but the task names fresh ones, a lost file is fetched by a look, not by a purchase."""
    async with journey(CALM, count=6) as going:
        await going.run()
        next(going.directory.glob("*.png")).unlink()
        for task in going.sim.gateway.tasks.values():
            for file in task.files:
                file.forbidden = file.renew = True
        _, report = await going.run()
        assert (report.saved, report.skipped) == (1, 5)
        going.assert_charged_once()
        going.assert_on_disk()


async def test_what_cannot_be_fetched_any_more_is_named_and_never_bought_again(journey):
    """A day later a lost file's links are dead for good: the item is unfinished with its task, and stays so."""
    async with journey(CALM, count=6) as going:
        await going.run()
        lost = next(going.directory.glob("*.png"))
        lost.unlink()
        going.sim.clock.advance(25 * 3600)
        for _ in range(2):
            outcomes, report = await going.run(retry_failed=True)
            (open_,) = [outcome for outcome in outcomes if not outcome.ok]
            assert type(open_.error).__name__ == "LinkExpiredError"
            assert open_.task is not None
            assert (report.saved, report.skipped, report.unfinished) == (0, 5, 1)
            line = going.manifest()[open_.item.key]
            assert line["status"] == "unfinished"
            assert line["task_id"] == open_.task.id
            assert line["error"]["type"] == "LinkExpiredError"
        going.assert_charged_once()


async def test_a_changed_line_is_a_new_item(journey):
    """What was changed in the input is made; what was not is skipped."""
    async with journey(CALM, count=10) as going:
        await going.run()
        changed = [attrs.evolve(request, size="16:9") for request in going.requests()[:3]]
        _, report = await going.run([*changed, *going.requests()[3:]])
        assert (report.saved, report.skipped) == (3, 7)
        assert going.sim.books.accepted == 13


async def test_equal_lines_are_items_of_their_own(journey):
    """The same line three times is three images, over any number of runs."""
    async with journey(CALM, count=1) as going:
        await going.run(going.requests() * 2)
        _, report = await going.run(going.requests() * 3)
        assert (report.saved, report.skipped) == (1, 2)
        assert going.sim.books.accepted == 3


async def test_failed_tasks_are_bought_again_only_when_asked(journey, counted):
    """A task that failed is reported by later runs, and made again with retry_failed."""
    fails = Fault(where="task", what=Fail(), match="number 1:")
    async with journey(attrs.evolve(CALM, faults=(fails,)), count=4) as going:
        for _ in range(2):
            outcomes, _ = await going.run()
            assert counted(outcomes) == {"Saved": 3, "Failed": 1}
            assert going.sim.books.accepted == 4
        _without_faults(going.sim)
        _, report = await going.run(retry_failed=True)
        assert report.complete
        assert going.sim.books.accepted == 5
        assert {1} == {entry.net_charges for entry in going.sim.books.by_prompt.values()}
        going.assert_on_disk()


async def test_attempts_of_a_killed_run_are_judged_by_what_it_had_learned(journey):
    """A first run is killed while it asks for attempts that never arrived; a resume proves that and sends them."""
    dropped = Fault(where="submit", what=Drop(), match="number 1")
    async with journey(attrs.evolve(CALM, faults=(dropped,)), count=20) as going:
        process = await going.start(speed=5.0)
        while going.sim.books.posts < 20 or going.sim.books.completed < 9:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        process.kill()
        await process.communicate()
        _without_faults(going.sim)
        report = await going.start_and_finish(resume=True)
        assert report["complete"], report
        going.assert_charged_once()
        going.assert_on_disk()


async def test_a_clock_that_was_set_back_hides_nothing(journey, hurried_clock):
    """What an earlier run dated in the future is resumed all the same."""

    @attrs.frozen
    class Ahead(hurried_clock):
        def now(self):
            return super().now() + 86_400

    dropped = Fault(where="submit", what=Drop(after_acceptance=True), match="number 1")
    async with journey(attrs.evolve(CALM, faults=(dropped,), lookup_lag=60.0), count=20) as going:

        async def leave_early():
            async with going.client(clock=Ahead(40.0)) as client, client.session(going.directory) as session:
                async for _ in session.stream(going.requests()):
                    if going.sim.books.posts >= 20:
                        break

        await leave_early()
        assert going.sim.books.accepted == 20
        going.sim.clock.advance(60)
        _without_faults(going.sim)
        await going.run(resume=True)
        going.assert_charged_once()
        going.assert_on_disk()


async def test_the_cap_holds_over_runs(journey, counted):
    """max_cost_usd counts what earlier runs spent; a higher cap goes on where the lower one stopped."""
    async with journey(attrs.evolve(CALM, latency=Constant(0.2)), count=10) as going:
        async with going.client() as client, client.session(going.directory, max_cost_usd=100) as session:
            await session.run(going.requests(1))
            one = session.report.projected_usd
        assert one > 0
        charged = going.sim.books.charged_usd
        assert one == charged
        for cap, made in ((one * 4, 4), (one * 4, 4), (one * 7 + one / 2, 7)):
            outcomes, report = await going.run(max_cost_usd=cap)
            assert {"Saved": made} == counted(outcomes)
            assert made == going.sim.books.accepted
            assert going.sim.books.charged_usd <= cap
            assert type(report.stopped_by).__name__ == "BudgetExceededError"
            assert not report.complete
        _, report = await going.run(max_cost_usd=one * 10)
        assert report.complete
        going.assert_charged_once()
        going.assert_on_disk()


async def test_doubts_count_towards_the_cap(journey):
    """An attempt of unknown outcome may have been charged, so it is counted as if it were."""
    lost = Fault(where="submit", what=Drop(after_acceptance=True), match="number 1")
    scenario = attrs.evolve(CALM, faults=(lost,), keeps_client_ids=False)
    async with journey(scenario, count=20) as going:
        async with going.client() as client, client.session(going.directory) as session:
            await session.run(going.requests(1))
            one = session.report.projected_usd
        for _ in range(2):
            await going.run(max_cost_usd=one * 6)
            assert going.sim.books.accepted == 6
            assert going.sim.books.charged_usd <= one * 6


async def test_nasty_ids_name_no_path(journey):
    """Ids that look like paths, differ by case or are devices end as files inside the directory, each its own."""
    ids = ["../../up", "a/b", "A", "a", "con", ".hidden", "x" * 200, "ü", "u\u0308", "manifest.jsonl", ". .", "sun.png"]
    async with journey(CALM) as going:
        requests = [ImageRequest(prompt=f"p{number}", id=name) for number, name in enumerate(ids)]
        outcomes, report = await going.run(requests)
        assert report.complete, [str(outcome.error) for outcome in outcomes if not outcome.ok]
        prompts = [request.prompt for request in requests]
        going.assert_charged_once(prompts)
        going.assert_on_disk(prompts)


async def test_a_reference_of_ones_own_names_one_request(journey, counted):
    """Two requests with the same client_business_id could be taken for each other, so the second is refused."""
    async with journey(CALM, count=1) as going:
        requests = [ImageRequest(prompt=prompt, client_business_id="mine") for prompt in ("first", "second")]
        outcomes, _ = await going.run(requests)
        assert counted(outcomes) == {"Saved": 1, "Failed": 1}
        going.assert_charged_once(["first"])


async def test_submitting_what_a_stream_has_taken_up(journey):
    """submit() of a request that the session is finishing for an earlier run gets its outcome, not a second task."""
    async with journey(attrs.evolve(CALM, latency=Constant(0.5)), count=1) as going:
        running = asyncio.create_task(going.run())
        while not going.sim.books.accepted:
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        async with going.client() as client, client.session(going.directory) as session, asyncio.TaskGroup() as tasks:
            tasks.create_task(session.run([]))
            await asyncio.sleep(0.1)
            job = await session.submit(going.requests()[0])
            assert (await job).ok
        going.assert_charged_once()
        going.assert_on_disk()


async def test_what_cannot_be_written_down_fails_alone(journey, counted):
    """A request that the journal cannot hold, let through by validation="off", is refused; the others are made."""
    async with journey(CALM, count=3) as going:
        odd = ImageRequest(prompt="odd", extra={"what": object()})
        outcomes, _ = await going.run([odd, *going.requests()], client={"validation": "off"})
        assert counted(outcomes) == {"Saved": 3, "Failed": 1}
        going.assert_charged_once()
        going.assert_on_disk()


async def test_what_was_sent_is_not_judged_again(journey, counted):
    """Requests that a client with validation="off" has sent are finished by a strict one; new ones are refused."""
    async with journey(attrs.evolve(CALM, latency=Constant(0.5)), count=0) as going:
        wrong = [ImageRequest(prompt=f"wrong {number}", size="17:4") for number in range(3)]
        running = asyncio.create_task(going.run(wrong[:2], client={"validation": "off"}))
        while going.sim.books.accepted < 2:
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        for _ in range(2):
            outcomes, _ = await going.run(wrong)
            assert counted(outcomes) == {"Saved": 2, "Failed": 1}
        going.assert_charged_once(["wrong 0", "wrong 1"])


async def test_a_lost_video_comes_back_whole(journey):
    """A video whose file was deleted is fetched again by way of its task, which knows more than its address."""
    async with journey(CALM, count=0) as going:
        requests = [VideoRequest(prompt="waves", model="sora-2")]
        _, report = await going.run(requests)
        assert report.complete
        (film,) = going.directory.glob("*.mp4")
        film.unlink()
        _, report = await going.run(requests)
        assert report.complete
        assert film.exists()
        going.assert_charged_once(["waves"])


async def test_what_was_paid_counts_as_paid_and_not_as_estimated(journey):
    """Files that are fetched again leave the sum that the cap is held against as it was, whatever was estimated."""
    async with journey(CALM, count=6) as going:
        await going.run()
        for path in going.directory.glob("*.png"):
            path.unlink()
        async with going.client() as client:
            catalogue = client.catalogue
        model = catalogue.find(going.requests()[0].model)
        dear = catalogue.with_models(attrs.evolve(model, price=attrs.evolve(model.price, per_output=Decimal(3))))
        for cap in (None, 5):
            _, report = await going.run(client={"catalogue": dear}, max_cost_usd=cap)
            assert report.complete
            assert report.projected_usd == going.sim.books.charged_usd
            for path in going.directory.glob("*.png"):
                path.unlink()


async def test_jobs_beyond_the_cap_hear_of_it(journey):
    """Requests that are submitted one by one meet the same cap, as an error of their own."""
    async with (
        journey(CALM, count=8) as going,
        going.client() as client,
        client.session(going.directory, max_cost_usd="0.03") as session,
    ):

        async def make(request):
            return await (await session.submit(request))

        results = await asyncio.gather(*map(make, going.requests()), return_exceptions=True)
        assert [type(result).__name__ for result in results] == ["Saved"] * 2 + ["BudgetExceededError"] * 6
        assert going.sim.books.accepted == 2


async def test_a_task_that_the_gateway_has_forgotten_is_named_as_such(journey):
    """What was accepted and is not found any more stays unfinished, is never bought again, and says why."""
    async with journey(attrs.evolve(CALM, latency=Constant(0.5)), count=2) as going:
        running = asyncio.create_task(going.run())
        while going.sim.books.accepted < 2:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        going.sim.gateway.tasks.clear()
        going.sim.gateway._by_client_id.clear()
        outcomes, report = await going.run(patience_seconds=10)
        assert report.unfinished == 2
        assert all("The last look at it failed" in str(outcome.error) for outcome in outcomes)
        going.assert_charged_once()
