"""``manifest.unfinished``: which runs of a directory may have tasks at the gateway that only their journal knows.

It lies beside the manifest and not in ``.toapis``, so that it is there where the journal was lost. With it every
reference that a lost run can have sent is known, and can be asked for. A run writes it before its first POST, and
again only when an item needs more attempts than any before it. One that ends in order gives everything in flight a
line of the manifest and removes it, so that it stays only where a run was killed.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path

from toapis_async.errors import StorageError
from toapis_async.storage.files.private_files import replace_private_text
from toapis_async.storage.files.refusals import storage_error

UNFINISHED_NAME = "manifest.unfinished"

_ABOUT = (
    "These runs (by id, with the most attempts that an item had) were not finished: tasks of theirs may be in flight. "
    "Where their journal is gone, the next run asks the gateway for them before it sends anything anew."
)
_RUN_ID = re.compile("[0-9a-f]{8}")
_MOST_ATTEMPTS = 10_000


class UnfinishedRuns:
    """The file, kept in step with a run.

    Args:
        directory: of the manifest.
        run_id: of the journal.

    """

    def __init__(self, directory: Path, run_id: str) -> None:
        self._path = directory / UNFINISHED_NAME
        self._run_id = run_id
        self._writing = asyncio.Lock()
        self._others: dict[str, int] = {}
        self.before: int = 0
        """The most attempts of an item that an earlier run of this very journal noted, and did not strike out."""
        self.most_attempts: int = 0
        """How many attempts an item may have before more have to be allowed."""

    @property
    def others(self) -> Mapping[str, int]:
        """Runs of other journals, which are not here: by their id, with the most attempts of an item."""
        return self._others

    async def read(self) -> None:
        """Read what earlier runs left; once, before anything is sent.

        Raises:
            StorageError: it cannot be read.

        """
        self._others = await asyncio.to_thread(read_unfinished, self._path.parent)
        self.before = self.most_attempts = self._others.pop(self._run_id, 0)

    async def allow(self, attempts: int) -> None:
        """Write down that an item is about to have so many attempts.

        Raises:
            StorageError: the disk refused; nothing may be sent.

        """
        async with self._writing:
            if attempts > self.most_attempts:
                await asyncio.to_thread(self._write, {**self._others, self._run_id: attempts})
                self.most_attempts = attempts

    async def strike_out(self) -> None:
        """Write down that nothing of this run is in flight any more.

        Raises:
            StorageError: the disk refused.

        """
        async with self._writing:
            if self.most_attempts:
                await asyncio.to_thread(self._write, self._others)
                self.most_attempts = 0

    def _write(self, runs: Mapping[str, int]) -> None:
        if runs:
            replace_private_text(self._path, [json.dumps({"about": _ABOUT, "runs": runs}, indent=2), "\n"])
            return
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error, path=str(self._path)) from error


def read_unfinished(directory: Path) -> dict[str, int]:
    """Return the runs that were not finished by their id, each with the most attempts of an item. Blocks.

    Raises:
        StorageError: the file cannot be read, or says something else.

    """
    path = directory / UNFINISHED_NAME
    try:
        text = path.read_text("utf-8")
        runs = json.loads(text)["runs"] if text.strip() else {}
        wrong = [run for run, most in runs.items() if not (_RUN_ID.fullmatch(run) and _is_count(most))]
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise storage_error(error, path=str(path)) from error
    except (ValueError, LookupError, TypeError, AttributeError):
        wrong = [text]
    if wrong:
        raise StorageError(
            f"{path} does not say which runs were not finished.",
            path=str(path),
            hint="Remove it where the journal (.toapis) is there. Without the journal, what that run had in flight may "
            "then be bought again.",
        )
    return dict(runs)


def _is_count(most: object) -> bool:
    return isinstance(most, int) and 0 < most <= _MOST_ATTEMPTS
