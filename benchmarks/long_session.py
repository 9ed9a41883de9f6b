"""One session that lives for months: what a process occupies after 10,000, 100,000, 1,000,000 submitted jobs.

    python benchmarks/long_session.py                                  # 10,000 to 100,000, some minutes
    python benchmarks/long_session.py --jobs 10000,100000,1000000      # an hour or more, by the machine

Every job goes through ``session.submit()`` of one session with a journal, over real sockets, against one bare server
process; its file goes to a sink that keeps nothing, so that the disk holds the journal and the manifest alone. The
first mark is the yardstick: memory may be 1.1 times as much at the last, threads and open files no more, and sockets
never more than twice the tasks in flight. ``objects`` counts what the collector of Python knows: growth there is ours,
growth of memory alone is an allocator's or a cache's.
"""

import argparse
import asyncio
import gc
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from toapis_async import AsyncToAPIs, FixedPolling, ImageRequest, Saved, SavedFile

HERE = Path(__file__).parent


class ForgetfulDraft:
    """A file that is counted and thrown away."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.bytes_written = 0
        self.digest = hashlib.sha256()

    async def write(self, chunk: bytes) -> None:
        self.bytes_written += len(chunk)
        self.digest.update(chunk)

    async def restart(self) -> None:
        self.bytes_written, self.digest = 0, hashlib.sha256()

    async def publish(self, name: str, *, mime: str, width=None, height=None, replace: bool = False) -> SavedFile:
        return SavedFile(
            uri=f"{self.uri}/{name}", bytes=self.bytes_written, sha256=self.digest.hexdigest(), mime=mime, width=width,
            height=height,
        )  # fmt: skip

    async def discard(self) -> None:
        pass


class ForgetfulSink:
    """A place that keeps nothing."""

    uri = "nowhere://at-all"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        pass

    def draft(self, stem: str) -> ForgetfulDraft:
        return ForgetfulDraft(self.uri)

    async def intact(self, items: Sequence[Sequence[SavedFile]]) -> list[bool]:
        return [True] * len(items)

    async def clean_up(self, *, alone: bool) -> int:
        return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", default="10000,30000,100000", help="after how many to look, in order")
    parser.add_argument("--in-flight", type=int, default=200)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--interval", type=float, default=0.1, help="between looks, in seconds")
    parser.add_argument("--types", type=int, default=0, help="name that many types of which there are more")
    parser.add_argument("--named", action="store_true", help="give each request an id, as a web app does")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    command = [sys.executable, str(HERE / "gateway.py"), f"--latency={options.latency}", "--size=200"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        table = asyncio.run(live(f"http://127.0.0.1:{server.stdout.readline().strip()}", options))
    finally:
        server.kill()
        server.wait()
    if options.json:
        options.json.write_text(json.dumps(table, indent=1))
    first, last = table[0], table[-1]
    # The key ledger's temporary file is opened once its cache is full.
    wrong = [name for name, more in (("threads", 0), ("files", 1)) if last[name] > first[name] + more]
    wrong += ["sockets"] if last["sockets"] > 2 * options.in_flight else []
    wrong += ["memory"] if last["memory_mib"] > 1.1 * first["memory_mib"] else []
    ratio = last["memory_mib"] / first["memory_mib"]
    print(f"memory at {last['jobs']:,}: {ratio:.3f} of that at {first['jobs']:,};", "grew: " + ", ".join(wrong or "-"))
    sys.exit(bool(wrong))


async def live(base: str, options: argparse.Namespace) -> list[dict[str, float]]:
    table: list[dict[str, float]] = []
    print("     jobs   jobs/s   memory MiB   threads   files   sockets    objects   journal MiB")
    polling = FixedPolling(options.interval)
    with tempfile.TemporaryDirectory(prefix="toapis-long-") as directory:
        async with (
            AsyncToAPIs(api_key="sk-benchmark", base_url=base, rate_limits=None, polling=polling) as client,
            client.session(ForgetfulSink(), journal=directory, max_concurrency=options.in_flight) as session,
        ):
            done, began, types = 0, time.monotonic(), Counter()
            for mark in map(int, options.jobs.split(",")):
                since, before = time.monotonic(), done
                await submit(session, done, mark, options)
                done = mark
                rate = (mark - before) / (time.monotonic() - since)
                gc.collect()
                row = {"jobs": mark, "jobs_per_second": rate} | occupied() | {"journal_mib": size_mib(directory)}
                table.append(row | {"seconds": time.monotonic() - began})
                print(
                    f"{mark:>9,} {rate:>8.0f} {row['memory_mib']:>12.1f} {row['threads']:>9} "
                    f"{row['files']:>7} {row['sockets']:>9} {row['objects']:>10,} {row['journal_mib']:>13.1f}",
                    flush=True,
                )
                types = tell_types(types, options.types)
    return table


async def submit(session, start: int, end: int, options: argparse.Namespace) -> None:
    """Have as many callers as there are slots, each of which waits for its job and forgets it."""
    numbers = iter(range(start, end))

    async def caller() -> None:
        for number in numbers:
            key = f"order-{number}" if options.named else None
            job = await session.submit(ImageRequest(f"image {number}", id=key, size="1:1"))
            outcome = await job
            if not isinstance(outcome, Saved):
                raise SystemExit(f"{outcome}")

    async with asyncio.TaskGroup() as group:
        for _ in range(2 * options.in_flight):
            group.create_task(caller())


def occupied() -> dict[str, float]:
    held_open = [str(one.readlink()) for one in Path("/proc/self/fd").iterdir() if one.is_symlink()]
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return {
        "memory_mib": pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
        "threads": len(list(Path("/proc/self/task").iterdir())),
        "files": sum(not held.startswith("socket:") for held in held_open),
        "sockets": sum(held.startswith("socket:") for held in held_open),
        "objects": len(gc.get_objects()),
    }


def size_mib(directory: str) -> float:
    return sum(path.stat().st_size for path in Path(directory).rglob("*") if path.is_file()) / 2**20


def tell_types(before: Counter, most: int) -> Counter:
    """Say of which types there are more objects than at the last mark."""
    if not most:
        return before
    now = Counter(f"{type(thing).__module__}.{type(thing).__qualname__}" for thing in gc.get_objects())
    if before:
        print("".join(f"          {count:+9,} {name}\n" for name, count in (now - before).most_common(most)), end="")
    return now


if __name__ == "__main__":
    main()
