"""Everything at once, for as long as wanted: faults of every kind, cancellations, kills, 429 phases, slow inputs.

    python benchmarks/soak.py --prompts 20000 --minutes 60     # the whole of it
    python benchmarks/soak.py --prompts 4000 --minutes 10

The first 40 % of the time a worker process is killed (``-9``, or asked to park) again and again, each next one goes on
in the same directory; then one worker runs for most of the rest, so that growth can be told; and a last one, with a
gateway that has become calm, finishes what there is. Then the simulator's books are compared with the disk: nothing
may be charged twice, and whatever stayed charged has to be there. The exit status is 1 where that or a bound fails.

A ticker of 10 ms in the worker measures the lag of its event loop; from it the time is taken off in which the thread
was ready and the machine had no core for it (``schedstat``), so that other programs do not count. Both are told.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from random import Random

ROUND, ROUNDS, CALLERS, WARM_UP = 400, 4, 60, 45.0


def key(number: int) -> str:
    return f"soak-{number:06d}"


def scenario():
    from toapis_async.testing import (
        Delay,
        Drop,
        Fail,
        Fault,
        ForbiddenUntilLookup,
        HtmlFile,
        InvalidJson,
        MoveUrl,
        Refuse,
        Reset,
        Scenario,
        SlowFile,
        Stall,
        StatusWord,
        Truncate,
        Uniform,
        WithoutUrl,
        WrongType,
    )

    def often(where, what, probability, **more):
        return Fault(where=where, what=what, probability=probability, **more)

    submit = [
        Drop(after_acceptance=True),
        Drop(),
        InvalidJson(),
        Delay(seconds=2),
        Delay(seconds=2, after_acceptance=True),
    ]
    refusals = ["html_504", "html_502", "plain_503", "internal_error", "html_524", "html_200"]
    submit += [Refuse(reply=name, after_acceptance=True) for name in refusals]
    submit += [Refuse(reply=name) for name in [*refusals, "circuit_broken", "rate_limited", "too_many_unfinished"]]
    submit += [Refuse(reply="rate_limit_unavailable", retry_after=1), Refuse(reply="rate_limited", retry_after=1)]
    query = [Refuse(reply="internal_error"), Refuse(reply="html_504"), Refuse(reply="rate_limited"), Drop()]
    query += [InvalidJson(), Delay(seconds=1), StatusWord(word="processing"), StatusWord(word=""), WithoutUrl()]
    query += [WithoutUrl(result="missing"), MoveUrl(place="top_level"), MoveUrl(place="both"), MoveUrl(form="b64_json")]
    file = [
        Truncate(),
        Truncate(declared=False),
        Reset(),
        HtmlFile(),
        WrongType(),
        Drop(),
        SlowFile(bytes_per_second=2000),
    ]
    return Scenario(
        name="soak",
        latency=Uniform(0.3, 3.0),
        files="small",
        small_bytes=4096,
        lookup_lag=0.5,
        max_unfinished=2000,
        billing="late",
        faults=(
            *(often("submit", what, 0.012) for what in submit),
            *(often("query", what, 0.012) for what in query),
            *(often("lookup", what, 0.03) for what in [Refuse(reply="internal_error"), Drop(), InvalidJson()]),
            *(often("file", what, 0.02) for what in file),
            often("file", ForbiddenUntilLookup(fresh_url=True), 0.03, first=1, per="prompt"),
            often("task", Fail(), 0.02),
            often("task", Fail(form="text", progress=100), 0.01),
            often("task", Stall(seconds=20), 0.01),
        ),
    )


def thread_waited(stat) -> float:
    """Seconds in which this thread was ready to run and had no core."""
    if stat is None:
        return 0.0
    stat.seek(0)
    return int(stat.read().split()[1]) / 1e9


class Watch:
    """What the worker process holds, and how late its loop is."""

    def __init__(self, file) -> None:
        self.file, self.lags, self.net, self.counts = file, [], [], {}
        self.began = time.monotonic()

    def note(self, **facts) -> None:
        self.file.write(json.dumps({"at": round(time.monotonic() - self.began, 1), **facts}) + "\n")
        self.file.flush()

    def held(self) -> dict[str, int]:
        rss = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
        return {
            "rss_kib": rss,
            "descriptors": sum(1 for _ in Path("/proc/self/fd").iterdir()),
            "threads": threading.active_count(),
            "tasks": len(asyncio.all_tasks()),
        }

    async def tick(self) -> None:
        path = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        with path.open() if path.exists() else Path(os.devnull).open() as opened:
            stat = opened if path.exists() else None
            told = time.monotonic()
            while True:
                before, waited = time.monotonic(), thread_waited(stat)
                await asyncio.sleep(0.01)
                lag = time.monotonic() - before - 0.01
                self.lags.append(round(lag * 1000, 1))
                self.net.append(round(max(0.0, lag - (thread_waited(stat) - waited)) * 1000, 1))
                if time.monotonic() - told >= 2:
                    told = time.monotonic()
                    self.note(lags=self.lags, net=self.net, **self.held())
                    self.lags, self.net = [], []


class Work:
    """One worker: streams and callers side by side in one session."""

    def __init__(self, session, watch: Watch, random: Random) -> None:
        from toapis_async import ImageRequest

        self.session, self.watch, self.random, self.request = session, watch, random, ImageRequest
        self.seen: dict[str, int] = {}

    def wish(self, number: int):
        return self.request(f"soak {number:06d}: a fox", id=key(number))

    def count(self, name: str) -> None:
        self.seen[name] = self.seen.get(name, 0) + 1

    async def all(self, numbers: range) -> None:
        # Side by side, since the last of a round wait for the lookups that prove what became of a lost reply.
        places = asyncio.Semaphore(ROUNDS)

        async def one(part: list[int]) -> None:
            async with places:
                cut = len(part) * 2 // 3
                async with asyncio.TaskGroup() as group:
                    group.create_task(self.stream(part[: cut // 2]))
                    group.create_task(self.stream(part[cut // 2 : cut]))
                    group.create_task(self.call(part[cut:]))
                    group.create_task(self.meddle())
                self.watch.note(round=part[0], seen=self.seen)

        async with asyncio.TaskGroup() as group:
            for start in range(numbers.start, numbers.stop, ROUND):
                group.create_task(one(list(range(start, min(start + ROUND, numbers.stop)))))
        await self.sweep(numbers)

    def source(self, numbers: list[int]):
        def plain(seconds: float):
            for number in numbers:
                if seconds and self.random.random() < 0.1:
                    time.sleep(seconds)
                yield self.wish(number)

        async def asynchronous():
            for number in numbers:
                if self.random.random() < 0.1:
                    await asyncio.sleep(self.random.random() * 0.3)
                yield self.wish(number)

        return self.random.choice(
            [lambda: [*map(self.wish, numbers)], lambda: plain(0), lambda: plain(0.05), asynchronous]
        )()

    async def stream(self, numbers: list[int]) -> None:
        from toapis_async.errors import ToAPIsError

        stream, leave = self.session.stream(self.source(numbers)), self.random.random() < 0.3
        try:
            async for outcome in stream:
                self.count(type(outcome).__name__)
                if self.random.random() < 0.02:
                    await asyncio.sleep(0.2)
                if leave and self.random.random() < 0.02:
                    self.count("left")
                    break
        except ToAPIsError as error:
            self.count(f"stream {type(error).__name__}")
        finally:
            await stream.aclose()

    async def call(self, numbers: list[int]) -> None:
        from toapis_async.errors import ToAPIsError

        places = asyncio.Semaphore(CALLERS)

        async def one(number: int) -> None:
            async with places:
                chance = self.random.random()
                try:
                    async with asyncio.timeout(self.random.random() * 3 if chance < 0.2 else None):
                        job = await self.session.submit(self.wish(number), priority=0 if chance > 0.9 else None)
                        if 0.2 < chance < 0.3:
                            await asyncio.sleep(self.random.random())
                            job.cancel()
                        if 0.3 < chance < 0.4:
                            again = await self.session.submit(self.wish(number))
                            self.count(type(await again).__name__)
                        self.count(type(await job).__name__)
                except TimeoutError:
                    self.count("caller gone")
                except ToAPIsError as error:
                    self.count(f"submit {type(error).__name__}")

        async with asyncio.TaskGroup() as group:
            for number in numbers:
                group.create_task(one(number))

    async def meddle(self) -> None:
        session = self.session
        await asyncio.sleep(self.random.random() * 2)
        match self.random.randrange(5):
            case 0:
                session.set_limits(max_concurrency=1)
                await asyncio.sleep(1)
                session.set_limits(max_concurrency=200)
            case 1:
                session.pause()
                await asyncio.sleep(1)
                session.unpause()
            case 2:
                self.count(f"found {await session.find(key(0)) is not None}")
            case 3:
                async for _ in session.records("paid"):
                    pass
            case 4:
                repr((session.report, session.statistics))

    async def sweep(self, numbers: range) -> None:
        async for outcome in self.session.stream(map(self.wish, numbers)):
            self.count(f"swept {type(outcome).__name__}")
            if not outcome.ok:
                self.watch.note(ended=outcome.item.key, error=repr(outcome.error)[:300])


async def worker(options: dict) -> None:
    from toapis_async import AsyncToAPIs, LearnedPolling

    with Path(options["notes"]).open("a") as file:
        watch, here = Watch(file), asyncio.current_task()
        ticker = asyncio.create_task(watch.tick())
        await asyncio.sleep(0.2)
        before = watch.held()
        watch.note(before=before)
        try:
            client = AsyncToAPIs(base_url=options["base_url"], polling=LearnedPolling(min_interval=0.5), timeout=20.0)
            async with client, client.session(options["directory"], max_concurrency=200) as session:
                work = Work(session, watch, Random(options["seed"]))
                parking = []
                asyncio.get_running_loop().add_signal_handler(
                    signal.SIGTERM, lambda: parking.append(asyncio.create_task(session.park()))
                )
                numbers = range(options["first"], options["prompts"])
                try:
                    await (work.sweep(numbers) if options.get("calm") else work.all(numbers))
                except Exception:
                    if not parking:
                        raise
                finally:
                    await asyncio.gather(*parking)
                    watch.note(seen=work.seen, parked=bool(parking), report=repr(session.report))
        except BaseException:
            watch.note(crash=traceback.format_exc())
            raise
        await asyncio.sleep(0.5)
        watch.note(before=before, after=watch.held(), still=[repr(t) for t in asyncio.all_tasks() - {here, ticker}])
        ticker.cancel()


class Soak:
    """The parent: the gateway, its phases, and who is killed when."""

    def __init__(self, options: argparse.Namespace, root: Path, sim) -> None:
        self.options, self.root, self.sim, self.random = options, root, sim, Random(options.seed)
        self.kills = self.parks = 0
        self.notes: list[list[dict]] = []
        self.faults: dict[str, int] = {}

    async def start(self, prompts: int, first: int = 0, *, calm: bool = False):
        path = self.root / f"notes-{len(self.notes)}.jsonl"
        self.notes.append([])
        facts = {"base_url": self.sim.base_url, "directory": str(self.root / "out"), "notes": str(path), "calm": calm}
        facts |= {"prompts": prompts, "first": first, "seed": self.random.randrange(10**6)}
        environment = os.environ | {"TOAPIS_API_KEY": self.sim.api_key}
        return await asyncio.create_subprocess_exec(
            sys.executable, __file__, "--worker", json.dumps(facts), env=environment
        )

    async def phases(self) -> None:
        """Refuse every submission with 429 for a while, now and then."""
        from toapis_async.testing import Fault, Refuse
        from toapis_async.testing.gateway.fault_plan import FaultPlan

        usual = self.sim.gateway.faults
        no = Fault(where="submit", what=Refuse(reply="rate_limited"))
        storm = FaultPlan((no, *self.sim.scenario.faults), 1)
        while True:
            await asyncio.sleep(self.random.uniform(20, 60))
            self.sim.gateway.faults = storm
            try:
                await asyncio.sleep(self.random.uniform(3, 12))
            finally:
                self.sim.gateway.faults = usual

    async def run(self) -> int:
        from toapis_async.testing.gateway.fault_plan import FaultPlan

        seconds, began = self.options.minutes * 60, time.monotonic()
        phases = asyncio.create_task(self.phases())
        early = int(self.options.prompts * 0.3)
        taken = 0
        while time.monotonic() - began < seconds * 0.4:
            taken = min(early, taken + ROUND)
            process = await self.start(taken, max(0, taken - 3 * ROUND))
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), self.random.uniform(2, 20))
            await self.end(process)
        process = await self.start(self.options.prompts, taken)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), max(30.0, began + seconds * 0.85 - time.monotonic()))
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.wait(), 120)
        phases.cancel()
        self.faults = dict(self.sim.gateway.faults.struck)
        self.sim.gateway.faults = FaultPlan((), 1)
        sent = sum(bool(entry.posts) for entry in self.sim.books.by_prompt.values())
        process = await self.start(self.options.prompts if self.options.all else self.last_sent(), calm=True)
        await process.wait()
        print(f"{sent} of {self.options.prompts} prompts sent when the faults ended; {time.monotonic() - began:.0f} s")
        return process.returncode

    def last_sent(self) -> int:
        posted = [int(prompt[5:11]) for prompt, entry in self.sim.books.by_prompt.items() if entry.posts]
        return max(posted, default=0) + 1

    async def end(self, process) -> None:
        if process.returncode is None:
            gently = self.random.random() < 0.3
            self.kills, self.parks = self.kills + (not gently), self.parks + gently
            process.send_signal(signal.SIGTERM if gently else signal.SIGKILL)
        await asyncio.wait_for(process.wait(), 120)

    def judge(self) -> list[str]:
        """Return what is wrong, after telling the figures."""
        books, out = self.sim.books, self.root / "out"
        wrong = [f"charged {count} times: {prompt}" for prompt, count in books.duplicates.items()]
        on_disk = {path.name.partition(".")[0] for path in out.iterdir() if path.is_file()}
        states: dict[str, int] = {"saved": 0, "refunded": 0, "refused": 0}
        for prompt, entry in books.by_prompt.items():
            name = key(int(prompt[5:11]))
            if entry.net_charges and name not in on_disk:
                wrong.append(f"charged and not on the disk: {name}")
            states["saved" if name in on_disk else "refunded" if entry.accepted else "refused"] += 1
        rows = self.read()
        wrong += [f"a worker broke: {row['crash']}" for row in rows if "crash" in row]
        wrong += [f"tasks left after closing: {row['still']}" for row in rows if row.get("still")]
        for row in rows:
            if "after" in row:
                for name, most in (("descriptors", 2), ("tasks", 1)):
                    if row["after"][name] > row["before"][name] + most:
                        wrong.append(f"{name} left after closing: {row['before']} {row['after']}")
        print(f"kills {self.kills}, parked {self.parks}, {states}, POSTs {books.posts}, accepted {books.accepted}")
        print("faults " + ", ".join(f"{name} {count}" for name, count in sorted(self.faults.items())))
        print("seen " + json.dumps([row["seen"] for row in rows if "parked" in row][-2:]))
        return wrong + self.lag(rows) + self.growth()

    def read(self) -> list[dict]:
        for number, rows in enumerate(self.notes):
            path = self.root / f"notes-{number}.jsonl"
            if path.exists() and not rows:
                # Nothing after the last line end: a kill may have cut it.
                rows += [json.loads(line) for line in path.read_text().split("\n")[:-1]]
        return [row for rows in self.notes for row in rows]

    def lag(self, rows: list[dict]) -> list[str]:
        wrong = []
        for name, what in (("lags", "as measured"), ("net", "without waits for a core")):
            values = sorted(lag for row in rows for lag in row.get(name, ()))
            if values:
                p99 = values[len(values) * 99 // 100]
                print(
                    f"loop lag, {what}: p50 {values[len(values) // 2]} p99 {p99} max {values[-1]} ms of {len(values)}"
                )
                if name == "net" and p99 >= 20:
                    wrong.append(f"loop lag p99 {p99} ms")
        return wrong

    def growth(self) -> list[str]:
        """Compare the first and the last third of the longest worker, after a warm-up."""
        rows = max(([r for r in rows if "rss_kib" in r] for rows in self.notes), key=len)
        steady = [row for row in rows if row["at"] > WARM_UP]
        if len(steady) < 15:
            print("too short to tell growth")
            return []
        wrong, third = [], len(steady) // 3
        for name, share, more in (
            ("rss_kib", 1.10, 4096),
            ("descriptors", 1.10, 20),
            ("threads", 1.10, 3),
            ("tasks", 1.25, 50),
        ):
            early, late = ([row[name] for row in part] for part in (steady[:third], steady[-third:]))
            begun, ended = sorted(early)[third // 2], sorted(late)[third // 2]
            print(
                f"{name:<12} {begun:>8} to {ended:>8} (medians of the first and last third), most {max(early + late)}"
            )
            if ended > begun * share + more:
                wrong.append(f"{name} grew from {begun} to {ended}")
        return wrong


async def soak(options: argparse.Namespace) -> int:
    from toapis_async.testing import Simulator

    with tempfile.TemporaryDirectory(prefix="toapis-soak-") as folder:
        async with Simulator(scenario(), seed=options.seed) as sim:
            run = Soak(options, Path(folder), sim)
            status = await run.run()
            wrong = run.judge()
        if status:
            wrong.append(f"the last worker ended with {status}")
        if options.json:
            options.json.write_text(json.dumps(run.notes))
    print("\n".join(wrong) or "0 duplicates, 0 losses, every bound kept")
    return 1 if wrong else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=4000)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--all", action="store_true", help="send in the end what there was no time for")
    parser.add_argument("--json", type=Path, help="where all samples go")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        asyncio.run(worker(json.loads(options.worker)))
        return
    sys.exit(asyncio.run(soak(options)))


if __name__ == "__main__":
    main()
