"""What the runs of a session share."""

from collections.abc import Collection

import attrs

from toapis_async.batch.bookkeeping.budget import Budget
from toapis_async.batch.bookkeeping.recorder import Recorder
from toapis_async.batch.bookkeeping.tally import Tally
from toapis_async.batch.items.holding import FileHostWatch, GatewayHold
from toapis_async.batch.items.in_work import ItemsInWork
from toapis_async.batch.items.slots import Slots
from toapis_async.batch.outcomes import Item
from toapis_async.batch.settings import SessionSettings
from toapis_async.client.downloading import Downloader
from toapis_async.client.gateway import Gateway
from toapis_async.client.lost_submissions import LostSubmissions
from toapis_async.client.saving import FileTarget
from toapis_async.client.submitting import Submitter
from toapis_async.client.uploads import Uploads
from toapis_async.policy.files.naming import file_stem
from toapis_async.ports.sink import Sink


@attrs.define(kw_only=True, eq=False, repr=False)
class RunContext:
    """Put together by the session, for its runs and their items.

    Attributes:
        settings: of the session.
        gateway, submitter, uploads, downloader: of the client.
        sink: where files go.
        recorder: what is written down.
        slots: what bounds the tasks in flight.
        tally: counts.
        budget: what may be spent.
        in_work: the items under way.
        gateway_hold: what keeps submissions back in an outage.
        lost: looks for what runs without their journal may have at the gateway; None where there is no such run.
        file_hosts: what is known of where files come from.

    """

    settings: SessionSettings
    gateway: Gateway
    submitter: Submitter
    uploads: Uploads
    downloader: Downloader
    sink: Sink
    recorder: Recorder
    slots: Slots
    tally: Tally
    budget: Budget
    in_work: ItemsInWork
    gateway_hold: GatewayHold
    lost: LostSubmissions | None = None
    file_hosts: FileHostWatch = attrs.field(factory=FileHostWatch)

    def target(self, item: Item, *, ours: Collection[str]) -> FileTarget:
        """Say where an item's files belong; *ours* are the names of older ones of it, which may be replaced."""
        naming = self.settings.naming(item, self.gateway.clock.now())
        finish = self.settings.finish(item.request)
        return FileTarget(sink=self.sink, stem=file_stem(item.key), naming=naming, finish=finish, ours=ours)
