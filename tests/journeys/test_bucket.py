"""Runs into a bucket that are killed."""

import json
import sys
from hashlib import sha256
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from stalling_s3 import StallingS3  # it lies beside this folder, which is no package

pytestmark = pytest.mark.s3


async def test_killed_in_mid_put_a_run_goes_on(journey, s3, tmp_path):
    """Killed while objects are half sent: no object is wrong, and the resumed run pays for nothing again."""
    address, options = s3.new_bucket()
    async with journey(count=20) as going, StallingS3(s3.endpoint, suffix=".png", after=5) as stalling:
        session = {"journal": str(tmp_path / "runs"), "store_options": {**options, "endpoint": stalling.endpoint}}
        going.directory = address
        process = await going.start(session=session)
        await stalling.stalled.wait()
        process.kill()
        await process.communicate()
        names = [name for name in s3.names(address) if name.endswith(".png")]
        report = await going.start_and_finish(session={**session, "store_options": options})
        assert len(names) == 5
        assert (report["complete"], report["saved"] + report["skipped"]) == (True, 20)
        going.assert_charged_once()
    lines = [json.loads(line) for line in s3.read(address, "manifest.jsonl").splitlines()]
    files = {file["path"]: file["sha256"] for line in lines for file in line["files"]}
    assert files == {name: sha256(s3.read(address, name)).hexdigest() for name in s3.names(address) if "png" in name}
    assert len(files) == 20
