"""The gateway's state and what each call does to it. No socket, no waiting."""

import hashlib
import heapq
import itertools
import math
from decimal import Decimal
from random import Random

import attrs

from toapis_async.clock import Clock
from toapis_async.testing.gateway.accounts.account import Account
from toapis_async.testing.gateway.accounts.buckets import buckets
from toapis_async.testing.gateway.books import Books, BooksEntry
from toapis_async.testing.gateway.fault_plan import FaultPlan
from toapis_async.testing.gateway.submissions.pricing import Quote, quote
from toapis_async.testing.gateway.submissions.request_parsing import Submission
from toapis_async.testing.gateway.submissions.task_creation import make_task
from toapis_async.testing.gateway.tasks import ResultFile, SimulatedTask
from toapis_async.testing.gateway.uploads import StoredUpload
from toapis_async.testing.scenario.settings import Scenario
from toapis_async.values.limits import RateLimits


@attrs.define(eq=False)
class Gateway:
    """The simulated gateway.

    Attributes:
        scenario: what it is like.
        clock: its time.
        seed: decides every chance.
        base_url: where it is reached; set when it listens.
        file_host: where result files lie, or empty for ``base_url``.
        accounts: users by key.
        tasks: by task id.
        files: every file of a task, by path.
        uploads: stored references, by path.

    """

    scenario: Scenario
    clock: Clock
    seed: int = 0
    base_url: str = ""
    file_host: str = ""
    books: Books = attrs.field(factory=Books)
    faults: FaultPlan = attrs.field(init=False)
    accounts: dict[str, Account] = attrs.field(factory=dict, repr=False)
    tasks: dict[str, SimulatedTask] = attrs.field(factory=dict, repr=False)
    files: dict[str, tuple[SimulatedTask, ResultFile]] = attrs.field(factory=dict, repr=False)
    uploads: dict[str, StoredUpload] = attrs.field(factory=dict, repr=False)
    _by_client_id: dict[tuple[int, str], SimulatedTask] = attrs.field(factory=dict, repr=False)
    _ending: list[tuple[float, int, SimulatedTask]] = attrs.field(factory=list, repr=False)
    _numbers: "itertools.count[int]" = attrs.field(factory=lambda: itertools.count(1), repr=False)

    def __attrs_post_init__(self) -> None:
        """Make the chances reproducible."""
        self.faults = FaultPlan(self.scenario.faults, self.seed)
        self.books.faults = self.faults.struck

    @property
    def file_url(self) -> str:
        """What the addresses of result files begin with."""
        return self.file_host or self.base_url

    def open_account(self, key: str, *, limits: RateLimits | None, balance_usd: Decimal | None) -> Account:
        """A new user with a key."""
        submit, query = buckets(limits)
        account = Account(100 + len(self.accounts), balance_usd, submit, query)
        self.accounts[key] = account
        return account

    def accept(
        self, account: Account, submission: Submission, remixed_from: SimulatedTask | None = None
    ) -> SimulatedTask:
        """Make the task and charge it; everything was checked before."""
        now = self.clock.now()
        fate = self.faults.strike("task", submission.prompt)
        rng = self._chances(submission.prompt)
        cost = self.quote(submission, remixed_from)
        number = next(self._numbers)
        task = make_task(submission, cost, account.user_id, number, now, self.scenario, rng, fate, remixed_from)
        self.tasks[task.id] = task
        for file in task.all_files:
            self.files[file.path] = task, file
        if task.client_business_id is not None:
            self._by_client_id[account.user_id, task.client_business_id] = task
        account.move(task.price_usd)
        self._enter_acceptance(task)
        if math.isfinite(task.ends_at):
            heapq.heappush(self._ending, (task.ends_at, task.number, task))
        return task

    def quote(self, submission: Submission, continued: SimulatedTask | None = None) -> Quote:
        """USD that this submission would cost."""
        model = submission.model or (continued.model if continued is not None else "")
        return quote(submission, model, self.scenario.price_usd)

    def find(self, account: Account, kind: str, name: str) -> SimulatedTask | None:
        """A task by its id, or by the reference that its user gave it; ``kind`` may be ``character`` too."""
        task = self.tasks.get(name) or self._by_reference(account, name)
        fits = task is not None and kind in {task.kind, task.makes} and task.user_id == account.user_id
        return task if fits else None

    def settle(self) -> None:
        """Bring the books up to the present: tasks that ended, refunds of those that failed."""
        now = self.clock.now()
        while self._ending and self._ending[0][0] <= now:
            _, _, task = heapq.heappop(self._ending)
            self._enter_end(task)

    def renew_links(self, task: SimulatedTask) -> None:
        """What a look at a task does for files that were forbidden until then."""
        for number, file in enumerate(task.all_files):
            if file.forbidden and file.renew:
                # The old path stays in the table, marked, and goes on being refused.
                self.files[file.path] = task, ResultFile(file.path, file.picture, forbidden=True)
                stem, _, extension = file.path.rpartition(".")
                file.path = f"{stem}{number:x}.{extension}"
                self.files[file.path] = task, file
            file.forbidden = False

    def enter_download(self, task: SimulatedTask) -> None:
        """Enter into the books that a file of the task reached its user to the last byte."""
        self.books.downloads += 1
        for entry in self.entries(task.prompt, task.client_business_id):
            entry.downloads += 1

    def entries(self, prompt: str, client_business_id: str | None) -> tuple[BooksEntry, ...]:
        """The lines of the books that a call belongs to."""
        of_prompt = self.books.by_prompt[prompt]
        if client_business_id is None:
            return (of_prompt,)
        return of_prompt, self.books.by_client_business_id[client_business_id]

    def _chances(self, prompt: str) -> Random:
        # By the prompt, so that the order in which concurrent calls arrive changes nothing.
        text = f"{self.seed}|{self.books.by_prompt[prompt].accepted}|{prompt}"
        return Random(hashlib.blake2b(text.encode(), digest_size=8).digest())

    def _by_reference(self, account: Account, name: str) -> SimulatedTask | None:
        if not self.scenario.keeps_client_ids:
            return None
        task = self._by_client_id.get((account.user_id, name))
        if task is None or self.clock.now() < task.accepted_at + self.scenario.lookup_lag:
            return None
        return task

    def _enter_acceptance(self, task: SimulatedTask) -> None:
        books = self.books
        books.accepted += 1
        books.unfinished += 1
        books.max_unfinished = max(books.max_unfinished, books.unfinished)
        books.charged_usd += task.price_usd
        for entry in self.entries(task.prompt, task.client_business_id):
            entry.accepted += 1
            entry.charges += 1
            entry.charged_usd += task.price_usd

    def _enter_end(self, task: SimulatedTask) -> None:
        task.settled = True
        self.books.unfinished -= 1
        if task.failure is None:
            self.books.completed += 1
        else:
            self.books.failed += 1
        if task.failure is None or not task.failure.refund:
            self._enter_settlement(task)
            return
        self.books.refunded_usd += task.price_usd
        for entry in self.entries(task.prompt, task.client_business_id):
            entry.refunds += 1
            entry.refunded_usd += task.price_usd
        self._move(task, -task.price_usd)

    def _enter_settlement(self, task: SimulatedTask) -> None:
        difference = task.settled_usd - task.price_usd
        if not difference:
            return
        self.books.charged_usd += difference
        for entry in self.entries(task.prompt, task.client_business_id):
            entry.charged_usd += difference
        self._move(task, difference)

    def _move(self, task: SimulatedTask, usd: Decimal) -> None:
        for account in self.accounts.values():
            if account.user_id == task.user_id:
                account.move(usd)
                break
