"""Forgetting jobs that have ended, with their files."""

import asyncio
import logging
from itertools import compress
from pathlib import Path

from toapis_async.storage.jobs.job_ledger import JobLedger
from toapis_async.values.files import SavedFile, is_address
from toapis_async.values.jobs import StoredJob

logger: logging.Logger = logging.getLogger("toapis_async")


async def remove_ended(ledger: JobLedger, directory: Path, *, before: float) -> int:
    """Remove the jobs that ended before a time, and return how many there were. Harmless while others do the same.

    Only files below ``directory`` are removed; those in a bucket are left to its own rules. A job whose files cannot
    be removed stays.

    Args:
        ledger: of the jobs.
        directory: of the store.
        before: epoch seconds.

    """
    removed, last = 0, None
    while jobs := await ledger.ended(before, last):
        # Files first: a job without them is removed next time, files without their job never would be.
        gone = await asyncio.to_thread(_remove_files, jobs, directory)
        # Together, so that they cost one wait for the disk.
        removed += sum(await asyncio.gather(*[ledger.remove(job.id) for job in compress(jobs, gone)]))
        last = jobs[-1]
    return removed


def _remove_files(jobs: list[StoredJob], directory: Path) -> list[bool]:
    return [_are_removed(job, directory) for job in jobs]


def _are_removed(job: StoredJob, directory: Path) -> bool:
    try:
        for file in job.result.files:
            if _is_below(file, directory):
                file.path.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("The files of a job that has ended cannot be removed: %s", error)
        return False
    return True


def _is_below(file: SavedFile, directory: Path) -> bool:
    # Resolved, since a path that begins below the directory may lead out of it, by ".." or by a link.
    return not is_address(file.uri) and file.path.resolve().is_relative_to(directory.resolve())
