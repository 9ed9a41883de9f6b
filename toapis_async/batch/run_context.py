"""What the runs of a session share."""

import attrs

from toapis_async.batch.budget import Budget
from toapis_async.batch.holding import FileHostWatch, GatewayHold
from toapis_async.batch.recorder import Recorder
from toapis_async.batch.settings import SessionSettings
from toapis_async.batch.slots import Slots
from toapis_async.batch.tally import Tally
from toapis_async.client.downloading import Downloader
from toapis_async.client.gateway import Gateway
from toapis_async.client.submitting import Submitter
from toapis_async.client.uploads import Uploads
from toapis_async.storage.files.atomic_files import OutputDirectory


@attrs.define(kw_only=True, eq=False, repr=False)
class RunContext:
    """Put together by the session, for its runs and their items.

    Attributes:
        settings: of the session.
        gateway, submitter, uploads, downloader: of the client.
        directory: where files go.
        recorder: what is written down.
        slots: what bounds the tasks in flight.
        tally: counts.
        budget: what may be spent.
        in_work: keys of items under way.
        gateway_hold: what keeps submissions back in an outage.
        file_hosts: what is known of where files come from.

    """

    settings: SessionSettings
    gateway: Gateway
    submitter: Submitter
    uploads: Uploads
    downloader: Downloader
    directory: OutputDirectory
    recorder: Recorder
    slots: Slots
    tally: Tally
    budget: Budget
    in_work: set[str]
    gateway_hold: GatewayHold
    file_hosts: FileHostWatch = attrs.field(factory=FileHostWatch)
