"""Images inside Dask, as docs/how-to/dask.md has it."""

import asyncio
import pickle
import subprocess
import sys

import attrs
import pytest

from toapis_async.integrations.chunk_config import ChunkConfig
from toapis_async.policy.waiting.polling import FixedPolling
from toapis_async.testing import Constant, Scenario, Simulator

JOB = """
import pickle, sys
import dask.bag
from dask.distributed import Client, LocalCluster
from toapis_async.integrations.chunks import run_chunk

if __name__ == "__main__":
    rows, configs = pickle.loads(sys.stdin.buffer.read())
    bag = dask.bag.from_sequence(rows, partition_size=10)
    made = bag.map_partitions(lambda part: run_chunk(list(part), configs[0])).compute(num_workers=2)
    with LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None) as cluster, Client(cluster):
        more = bag.map_partitions(lambda part: run_chunk(list(part), configs[1])).compute()
    print(*(sum(row["ok"] for row in part) for part in (made, more)))
"""


@pytest.mark.timeout(180)
async def test_partitions_are_chunks(tmp_path):
    """On processes of this machine and on a cluster every row has its image, and none was paid for twice."""
    pytest.importorskip("distributed", reason="not installed: dask (pip install 'dask[distributed]')")
    async with Simulator(Scenario(latency=Constant(0.2), files="small", tier=None)) as sim:
        client = {"api_key": sim.api_key, "base_url": sim.base_url, "rate_limits": None, "polling": FixedPolling(0.2)}
        places = {"state": f"{tmp_path}/state", "output": f"{tmp_path}/out"}
        config = ChunkConfig(run_id="july", id_column="key", client=client, **places)
        rows = [{"prompt": f"fox {number}", "key": f"row-{number}"} for number in range(40)]
        job = await asyncio.create_subprocess_exec(
            sys.executable, "-c", JOB, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        told = pickle.dumps((rows, [config, attrs.evolve(config, run_id="august", output=f"{tmp_path}/more")]))
        out, complaints = await job.communicate(told)
        assert out.split() == [b"40", b"40"], complaints.decode()[-3000:]
        assert sim.books.posts == 80
