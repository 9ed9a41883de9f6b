"""Runs that were not finished and whose journal is gone: found when a session opens, noted for the next one."""

import json
import logging
import math
from contextlib import AsyncExitStack

from toapis_async.batch.bookkeeping.recorder import Recorder
from toapis_async.client.gateway import Gateway
from toapis_async.client.lost_submissions import LostSubmissions
from toapis_async.storage.manifest.manifest import Manifest
from toapis_async.storage.manifest.unfinished_runs import UnfinishedRuns
from toapis_async.values.tasks import Kind
from toapis_async.wire.manifest import ManifestEntry

logger: logging.Logger = logging.getLogger("toapis_async")

_LOST = "lost runs"


async def lost_submissions(
    stack: AsyncExitStack,
    recorder: Recorder,
    manifest: Manifest,
    gateway: Gateway,
    *,
    resubmit: bool,
    earlier: ManifestEntry | None,
) -> LostSubmissions | None:
    """Return what looks for the tasks of lost runs, or None where there are none, and begin to note this run.

    Args:
        stack: strikes this run out when it closes.
        recorder: of the session; its journal and manifest are open.
        manifest: of the session.
        gateway: where to ask.
        resubmit: whether the user prefers a second charge to a doubt.
        earlier: a line with a task, to learn from whether the gateway keeps references; None where there is none.

    Raises:
        StorageError: what earlier runs left cannot be read.

    """
    journal = recorder.journal
    recorder.unfinished_runs = runs = UnfinishedRuns(manifest.path.parent, journal.run_id)
    await runs.read()
    lost = dict(runs.others)
    if runs.before and (journal.empty_at_open or manifest.is_older):
        lost[journal.run_id] = runs.before  # this is an old copy of its journal, or half of it
    stack.push_async_callback(_strike_out, runs, recorder, manifest)
    if not lost:
        return None
    text = json.dumps(lost, sort_keys=True)
    stack.push_async_callback(journal.remember, _LOST, text)
    if earlier is not None and earlier.task_id is not None and earlier.client_business_id is not None:
        model = gateway.catalogue.find(earlier.model or "")
        kind: Kind = "image" if model is None else model.kind
        gateway.client_ids.earlier_task = earlier.client_business_id, earlier.task_id, kind
    logger.warning(
        "Runs of %s were not finished, and their journal is gone (%s): what they may have in flight is asked for "
        "before anything is sent anew.",
        manifest.path.parent,
        ", ".join(lost),
    )
    # For the next session they have ended long ago.
    since = -math.inf if await journal.recall(_LOST) == text else gateway.clock.monotonic()
    return LostSubmissions(gateway=gateway, runs=lost, resubmit=resubmit, since=since)


async def _strike_out(runs: UnfinishedRuns, recorder: Recorder, manifest: Manifest) -> None:
    """Write what is in flight into the manifest, where it outlives the journal as well; then this run is no secret."""
    if runs.most_attempts:
        await manifest.append_in_flight(recorder.journal, told=recorder.told_unfinished)
        await runs.strike_out()
