"""An account in a file of this machine."""

import os
import stat
import subprocess
import sys
import time

import pytest

from toapis_async.errors import ConfigurationError
from toapis_async.limits.lease_owner import Terms
from toapis_async.limits.machine_owner import MachineOwner, private_directory
from toapis_async.policy.pace.sharing.leases import BudgetReport, Report
from toapis_async.values.limits import TIERS
from toapis_async.wire.shared_account import account_from

TERMS = Terms(limits=TIERS["svip"], fixed=True)


def report(worker, process="", **said):
    return Report(worker=worker, at=time.monotonic(), process=process, submit=BudgetReport(**said))


@pytest.fixture
async def owners(tmp_path):
    """Make owners of one account; closed at the end."""
    tmp_path.chmod(0o700)
    made = []

    def make():
        made.append(MachineOwner.named("acme", TERMS, directory=tmp_path))
        return made[-1]

    yield make
    for owner in made:
        await owner.aclose()


async def test_two_share_one_account(owners):
    """What one is lent the other is not."""
    one, two = owners(), owners()
    await one.exchange(report("a", bulk=1000))
    lease = await two.exchange(report("b", bulk=1000))
    assert (2, pytest.approx(TIERS["svip"].submit_per_second / 2)) == (lease.workers, lease.submit.per_second)


async def test_only_this_user_can_read_it(owners, tmp_path):
    """The files are private, and their names tell neither address nor key."""
    await owners().exchange(report("a"))
    modes = {path.name.partition("-")[0]: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"limits": 0o600}
    assert not [path for path in tmp_path.iterdir() if "acme" in path.name]


async def test_the_directory_is_made_private(tmp_path):
    """One that is missing is made for this user alone."""
    assert stat.S_IMODE(private_directory(tmp_path / "new" / "place").stat().st_mode) == 0o700


@pytest.mark.parametrize("kind", ["open to others", "a file"])
def test_a_place_that_is_not_private_is_refused(tmp_path, kind):
    """Where somebody else could write, nothing is shared."""
    place = tmp_path / "place"
    place.touch() if kind == "a file" else place.mkdir()
    place.chmod(0o777)
    with pytest.raises(ConfigurationError, match="place"):
        private_directory(place)


async def test_a_dead_process_loses_what_it_held_at_once(owners):
    """Its number and start tell that it is gone; nobody waits for its lease to end."""
    script = (
        "from pathlib import Path; from toapis_async.limits.machine_owner import MachineOwner; import sys;"
        "from toapis_async.limits.lease_owner import Terms; from toapis_async.values.limits import TIERS;"
        "print(MachineOwner(Path('x'), Terms(limits=TIERS['vip'], fixed=True)).process)"
    )
    gone = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    owner = owners()
    before = await owner.exchange(report("a", gone, bulk=1000))
    after = await owner.exchange(report("b", owner.process, bulk=1000))
    assert (before.workers, after.workers) == (1, 1)


async def test_a_process_of_another_container_is_not_judged(owners):
    """Its number means nothing here."""
    owner = owners()
    _, _, described = owner.process.partition("|")
    await owner.exchange(report("a", "pid:[1]|" + described.replace(str(os.getpid()), "999999999")))
    assert (await owner.exchange(report("b", owner.process))).workers == 2


async def test_a_damaged_file_is_replaced(owners, tmp_path):
    """What is no database is reported once, and then begun anew."""
    owner = owners()
    path = next(iter([owner._path]))
    path.write_bytes(b"nothing that SQLite knows" * 100)
    with pytest.raises(OSError, match="cannot be used"):
        await owner.exchange(report("a"))
    assert (await owner.exchange(report("a"))).workers == 1


async def test_a_file_that_was_cleaned_away_is_left(owners, tmp_path):
    """Those who had it open meet the newcomers in the new one."""
    one, two = owners(), owners()
    await one.exchange(report("a"))
    for path in tmp_path.iterdir():
        path.unlink()
    await two.exchange(report("b"))
    assert (await one.exchange(report("a"))).workers == 2


async def test_many_at_once_lose_nothing(owners):
    """Transactions follow one another: each of eight owners is known in the end."""
    many = [owners() for _ in range(8)]
    for _ in range(5):
        for number, owner in enumerate(many):
            await owner.exchange(report(str(number)))
    state = many[0]._connection.execute("SELECT state FROM account").fetchone()[0]
    assert sorted("01234567") == sorted(account_from(state).workers)


async def test_one_that_leaves_takes_nothing_from_the_others(owners):
    """Whoever opens and closes the file from another process leaves what the others have written."""
    owner = owners()
    await owner.exchange(report("a"))
    await owner.exchange(report("a"))
    script = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
        "c.execute('SELECT state FROM account').fetchall(); c.execute('BEGIN IMMEDIATE'); c.execute('COMMIT');"
        "c.close()"
    )
    subprocess.run([sys.executable, "-c", script, owner._path], check=True)
    await owner.exchange(report("b"))
    assert (await owners().exchange(report("c"))).workers == 3
