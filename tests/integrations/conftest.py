"""A store of jobs over a simulator, as one worker has it."""

from contextlib import asynccontextmanager

import pytest

from toapis_async.integrations.job_store import JobStore


@pytest.fixture
def store(tmp_path):
    """``async with store(client) as jobs``: a worker over the test's directory; as many as there are calls."""

    @asynccontextmanager
    async def run(client, **settings):
        quick = {"retry_seconds": 0.1, "adopt_seconds": 0.05, "poll_seconds": 0.02}
        async with JobStore(client, tmp_path / "jobs", **quick | settings) as jobs:
            yield jobs

    return run
