"""The FastAPI example with a watch on its event loop: ``lag-PID`` beside its jobs, every second."""

import asyncio
import contextlib
import json
import os
import sys
import time
from array import array
from collections.abc import AsyncIterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "docs" / "examples"))

from fastapi_app import app

_STEP = 0.01


def memory_mib() -> float:
    """What this process occupies now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def watch(path: Path) -> None:
    """Sample how late the loop wakes up, and how much of that it was busy itself; written from a thread."""
    lags, busy, peak, written = array("d"), array("d"), 0.0, time.monotonic()
    while True:
        before, cpu = time.monotonic(), time.thread_time()
        await asyncio.sleep(_STEP)
        lag = time.monotonic() - before - _STEP
        lags.append(lag)
        busy.append(min(lag, time.thread_time() - cpu))
        if time.monotonic() - written > 1:
            written, peak = time.monotonic(), max(peak, memory_mib())
            path.with_suffix(".json").write_text(json.dumps({"memory_mib": memory_mib(), "peak_mib": peak}))
            await asyncio.to_thread(path.with_suffix(".bin").write_bytes, lags.tobytes() + busy.tobytes())


_inner = app.router.lifespan_context


@contextlib.asynccontextmanager
async def lifespan(inside: object) -> AsyncIterator[None]:
    """Live as the example does, and watch meanwhile."""
    async with _inner(inside):
        watching = asyncio.create_task(watch(Path(os.environ["POSTERS"]) / f"lag-{os.getpid()}"))
        yield
        watching.cancel()


app.router.lifespan_context = lifespan
