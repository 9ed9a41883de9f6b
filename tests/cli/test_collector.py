"""The collector is the program's own to tune, and only in its own process."""

import gc
import subprocess
import sys

from toapis_async.cli.collector import set_start_aside

TUNED = """
import gc, sys
from toapis_async.cli import main, program
seen = []
def run_program():
    from toapis_async.cli.stopping import run
    async def work(stopper):
        seen.append((gc.get_threshold()[0], gc.get_freeze_count() > 10_000))
        return 0
    return run(work)
program.run_program = run_program
try:
    main.main()
except SystemExit:
    print(seen)
"""


def test_the_program_tunes_its_process():
    """It looks seldom, and never at what was imported."""
    ended = subprocess.run([sys.executable, "-c", TUNED], capture_output=True, text=True, check=True)

    assert ended.stdout == "[(50000, True)]\n"


def test_a_process_of_others_is_left_alone():
    """Where the program is called from another process, nothing changes."""
    before = gc.get_threshold(), gc.get_freeze_count()
    set_start_aside()

    assert before == (gc.get_threshold(), gc.get_freeze_count())


def test_the_library_leaves_the_collector_alone():
    """Importing and using the library changes nothing."""
    code = (
        "import gc; before = gc.get_threshold(); import toapis_async; toapis_async.AsyncToAPIs\n"
        "print(before == gc.get_threshold(), gc.get_freeze_count())"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout == "True 0\n"
