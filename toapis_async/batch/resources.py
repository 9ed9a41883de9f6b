"""Everything that a session opens: directory, journal, manifest, ledger, and what was learned in earlier runs."""

import asyncio
import logging
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Self

from toapis_async.batch.bookkeeping.budget import Budget
from toapis_async.batch.bookkeeping.lost_runs import lost_submissions
from toapis_async.batch.bookkeeping.manifest_copies import copied
from toapis_async.batch.bookkeeping.recorder import Recorder
from toapis_async.batch.bookkeeping.tally import Tally, stage_of
from toapis_async.batch.incoming.adopting import Adoption
from toapis_async.batch.incoming.item_index import ItemIndex
from toapis_async.batch.items.holding import GatewayHold
from toapis_async.batch.items.run_context import RunContext
from toapis_async.batch.items.slots import Slots
from toapis_async.batch.outcomes import Report, Statistics
from toapis_async.batch.settings import SessionSettings
from toapis_async.client.downloading import Downloader
from toapis_async.client.gateway import Gateway
from toapis_async.client.submitting import Submitter
from toapis_async.client.uploads import Uploads
from toapis_async.errors import ToAPIsError
from toapis_async.policy.money.retrying import RetryPolicy
from toapis_async.policy.network.outage import OUTAGE_SECONDS
from toapis_async.ports.events import EarlierOutputFound, GatewayChanged, SessionClosed
from toapis_async.ports.sink import Sink
from toapis_async.shielding import wait_shielded
from toapis_async.storage.journal.key_ledger import KeyLedger
from toapis_async.storage.journal.no_journal import NoJournal
from toapis_async.storage.journal.port import Journal
from toapis_async.storage.journal.sqlite_journal import SqliteJournal
from toapis_async.storage.manifest.earlier_output import EarlierOutput
from toapis_async.storage.manifest.manifest import Manifest
from toapis_async.storage.manifest.no_manifest import NoManifest
from toapis_async.transport.rate_limiter import BoundsTasks
from toapis_async.values.files import is_address
from toapis_async.values.records import ItemRecord, ItemState
from toapis_async.values.tasks import Kind

logger: logging.Logger = logging.getLogger("toapis_async")

_LATENCIES = "latencies"
_GATEWAYS = "gateways"
_KEEPS_CLIENT_IDS = "keeps client ids: "


class SessionResources:
    """The open context of a session.

    Args:
        gateway, uploads, downloader: of the client.
        base_url: which gateway, so that what is known of one is not believed of another.
        settings: of the session.

    """

    def __init__(
        self, *, gateway: Gateway, uploads: Uploads, downloader: Downloader, base_url: str, settings: SessionSettings
    ) -> None:
        self.settings = settings
        self.gateway = gateway
        self.base_url = base_url
        self.tally: Tally = Tally()
        self.sink: Sink = settings.sink
        self.journal: Journal = _journal(settings, gateway)
        self.manifest: Manifest | NoManifest = _manifest(settings)
        self.ledger: KeyLedger = KeyLedger()
        self.item_index: ItemIndex = ItemIndex(
            gateway=gateway, journal=self.journal, sink=self.sink, ledger=self.ledger
        )
        submitter = Submitter(
            gateway=gateway,
            retries=RetryPolicy(max_retries=None, max_elapsed_seconds=OUTAGE_SECONDS),
            on_unknown=settings.on_unknown,
            one_ahead=True,
            resume_references=settings.resume_references is True,
        )
        self.context: RunContext = RunContext(
            settings=settings,
            gateway=gateway,
            submitter=submitter,
            uploads=uploads,
            downloader=downloader.limited(settings.download_workers),
            sink=self.sink,
            recorder=Recorder(
                journal=self.journal,
                manifest=self.manifest,
                clock=gateway.clock,
                keeps_references=bool(settings.resume_references),
                events=gateway.events.of_session(settings.sink.uri, settings.on_event),
            ),
            slots=Slots(
                settings.max_concurrency,
                gateway.clock,
                gateway.rate_limiter.places if isinstance(gateway.rate_limiter, BoundsTasks) else None,
            ),
            tally=self.tally,
            budget=Budget(
                max_cost_usd=settings.max_cost_usd,
                catalogue=gateway.catalogue,
                tally=self.tally,
                unlisted_price_usd=settings.unlisted_price_usd,
            ),
            in_work=self.item_index.in_work,
            gateway_hold=GatewayHold(gateway),
        )
        self._started: float | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.gateway.loop.moved()  # in two at once nothing is opened, or locked
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.sink)
            await stack.enter_async_context(self.journal)
            # Only the lock of a journal beside the files keeps other processes away from them.
            await self.sink.clean_up(alone=self.settings.journal is True)
            await stack.enter_async_context(self.ledger)
            if isinstance(self.manifest, Manifest):
                await stack.enter_async_context(copied(self.manifest.path, self.sink, self.gateway.clock))
            await stack.enter_async_context(self.manifest.writing(self.journal))
            await self._take_over_earlier_output(stack)
            await self._look_for_lost_runs(stack)
            await self._compare_gateways()
            await self._recall()
            stack.push_async_callback(self._remember)
            self._stack = stack.pop_all()
        self._started = self.gateway.clock.monotonic()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._stack.__aexit__(exc_type, exc, traceback)
        finally:
            self.context.recorder.events.tell(SessionClosed)

    async def _take_over_earlier_output(self, stack: AsyncExitStack) -> None:
        """Look for what lies in the directory and is not in the journal, so that it is not bought again."""
        manifest, root = self.manifest, self.sink.uri
        if not self.settings.journal or not isinstance(manifest, Manifest):
            return
        if not (manifest.is_older or self.journal.empty_at_open):
            return
        files_at = None if is_address(root) else Path(root)
        output = EarlierOutput(manifest.path, files_at)
        stack.callback(output.close)
        reading = asyncio.ensure_future(asyncio.to_thread(output.read))
        await wait_shielded((reading,))  # nothing is closed under a thread that reads
        await reading
        if not (output.lines or output.files):
            output.close()
            return
        self.item_index.adoption = Adoption(
            output=output,
            journal=self.journal,
            root=root,
            clock=self.gateway.clock,
            canonical=self.gateway.catalogue.canonical,
            spent=self._count_as_spent,
        )
        if output.lines:
            logger.warning(
                "The journal of %s does not know what its manifest lists (%d lines). What the manifest proves is not "
                "made again.",
                manifest.path.parent,
                output.lines,
            )
            self.context.recorder.events.tell(EarlierOutputFound, lines=output.lines)

    async def _look_for_lost_runs(self, stack: AsyncExitStack) -> None:
        if not self.settings.journal or not isinstance(self.manifest, Manifest):
            return
        adoption, resubmit = self.item_index.adoption, self.settings.on_unknown == "resubmit"
        self.context.lost = await lost_submissions(
            stack,
            self.context.recorder,
            self.manifest,
            self.gateway,
            resubmit=resubmit,
            earlier=None if adoption is None else adoption.output.task,
        )

    def _count_as_spent(self, record: ItemRecord) -> None:
        self.tally.add(*stage_of(record, self.context.budget.estimate(record.request)))

    async def _compare_gateways(self) -> None:
        """Say so when the directory was used with another gateway: what that one has cannot be asked for here."""
        recorder = self.context.recorder
        recorder.gateway = self.base_url
        known = await self.journal.recall(_GATEWAYS)
        home, _, before = (known or f"{self.base_url} {self.base_url}").partition(" ")
        recorder.home = home
        if before != self.base_url:
            logger.warning(
                "%s was used with another gateway before (%s, now %s): what is unfinished there can only be finished "
                "there, and is not sent again here.",
                self.settings.directory,
                before,
                self.base_url,
            )
            recorder.events.tell(GatewayChanged, before=before, after=self.base_url)
        if known is None or before != self.base_url:
            await self.journal.remember(_GATEWAYS, f"{home} {self.base_url}")

    async def _recall(self) -> None:
        if self.journal.empty_at_open:
            return
        if learned := await self.journal.recall(_LATENCIES):
            self.gateway.latencies.merge_text(learned)
        if await self.journal.recall(_KEEPS_CLIENT_IDS + self.base_url):
            self.gateway.client_ids.keeps = True
        elif self.gateway.client_ids.earlier_task is None:
            self.gateway.client_ids.earlier_task = await self._earlier_task()
        await self._count_what_was_spent()

    async def _earlier_task(self) -> tuple[str, str, Kind] | None:
        """Find a task of an earlier run: a run that was killed could not remember what the gateway had shown it."""
        if not (await self.journal.counts()).get(ItemState.INTENDED):
            return None
        async for record in self.journal.items(ItemState.ACCEPTED, ItemState.FINISHED, ItemState.SAVED):
            here = self.context.recorder.gateway_of(record) == self.base_url
            if here and record.task_id is not None and not record.doubtful:
                return record.client_business_id, record.task_id, record.kind
        return None

    async def _count_what_was_spent(self) -> None:
        """Count what earlier runs in the directory have spent and committed: towards the cap, and to be told.

        What has a cost is summed in the journal; only what has none is read item by item.
        """
        costs = await self.journal.costs()
        untold = costs.pop(None, 0)
        for cost_usd, items in costs.items():
            self.tally.add("spent", Decimal(cost_usd or 0), times=items)
        async for record in self.journal.items(ItemState.INTENDED, ItemState.ACCEPTED):
            self._count(record)
        if untold:
            async for record in self.journal.items(ItemState.FINISHED, ItemState.SAVED):
                self._count(record)

    def _count(self, record: ItemRecord) -> None:
        stage, amount = stage_of(record, self.context.budget.estimate(record.request))
        if stage != "spent":
            self.tally.add(stage, amount)

    async def _remember(self) -> None:
        await self.journal.remember(_LATENCIES, self.gateway.latencies.to_text())
        if self.gateway.client_ids.keeps:
            await self.journal.remember(_KEEPS_CLIENT_IDS + self.base_url, "yes")

    def report(self, stopped_by: ToAPIsError | None) -> Report:
        """Return the session in numbers."""
        tally = self.tally
        return Report(
            directory=self.settings.directory,
            saved=tally.saved,
            skipped=tally.skipped,
            failed=tally.failed,
            unfinished=tally.unfinished,
            unknown=tally.unknown,
            not_sent=tally.not_sent,
            short=tally.short,
            cost_usd=tally.cost_usd,
            unpriced=tally.unpriced,
            spent_usd=tally.spent_usd,
            committed_usd=tally.committed_usd,
            projected_usd=tally.projected_usd,
            unestimated=tally.unestimated,
            seconds=0.0 if self._started is None else self.gateway.clock.monotonic() - self._started,
            stopped_by=stopped_by,
        )

    def statistics(self, *, late: int, saving: int) -> Statistics:
        """Return the session at this moment."""
        tally, slots = self.tally, self.context.slots
        return Statistics(
            taken=tally.taken,
            in_flight=slots.in_use,
            limit=slots.limit,
            late=late,
            saving=saving,
            saved=tally.saved,
            skipped=tally.skipped,
            failed=tally.failed,
            unfinished=tally.unfinished,
            submit_per_second=self.gateway.rate_limiter.submit_rate,
            not_sent=tally.not_sent,
            spent_usd=tally.spent_usd,
            committed_usd=tally.committed_usd,
            projected_usd=tally.projected_usd,
        )


def _journal(settings: SessionSettings, gateway: Gateway) -> Journal:
    if settings.journal is not False and settings.directory is not None:
        return SqliteJournal(settings.directory, clock=gateway.clock, files_at=settings.sink.uri)
    return NoJournal(f"{gateway.random.getrandbits(32):08x}")


def _manifest(settings: SessionSettings) -> Manifest | NoManifest:
    return NoManifest() if settings.directory is None else Manifest(settings.directory, files_at=settings.sink.uri)
