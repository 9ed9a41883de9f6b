"""What the runs of a session share."""

import attrs

from toapis_async.batch.books import Books
from toapis_async.batch.budget import Budget
from toapis_async.batch.slots import Slots
from toapis_async.batch.tally import Tally
from toapis_async.client.downloading import Downloader
from toapis_async.client.gateway import Gateway
from toapis_async.client.submitting import Submitter
from toapis_async.client.uploads import Uploads
from toapis_async.policy.waiting.polling import Polling
from toapis_async.storage.files.atomic_files import OutputDirectory


@attrs.define(kw_only=True, eq=False, repr=False)
class Parts:
    """The parts, put together by the session.

    Attributes:
        gateway, submitter, uploads, downloader: of the client.
        directory: where files go.
        books: what is written down.
        slots: what bounds the tasks in flight.
        tally: counts.
        budget: what may be spent.
        polling: when to look; None for the client's.
        patience_seconds: after which a task is late; None for the default of its kind.
        download_workers: how many files are fetched at a time.
        in_work: keys of items under way.
        retry_failed: whether tasks that failed in an earlier run are made again.

    """

    gateway: Gateway
    submitter: Submitter
    uploads: Uploads
    downloader: Downloader
    directory: OutputDirectory
    books: Books
    slots: Slots
    tally: Tally
    budget: Budget
    polling: Polling | None
    patience_seconds: float | None
    download_workers: int
    retry_failed: bool
    in_work: set[str]
