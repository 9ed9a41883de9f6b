"""The gateway's own books: what was asked, accepted, charged, paid back and fetched."""

from collections import Counter, defaultdict
from decimal import Decimal

import attrs

from toapis_async.testing.gateway.accounts.account import decimal_text

_ZERO = Decimal(0)


@attrs.define
class BooksEntry:
    """What happened for one prompt, or for one ``client_business_id``.

    Attributes:
        posts: submissions that arrived, refused ones included.
        accepted: tasks that were made.
        charges, refunds: how often money moved.
        charged_usd, refunded_usd: how much, USD.
        looks: status queries about its tasks.
        downloads: files that were fetched to their last byte.

    """

    posts: int = 0
    accepted: int = 0
    charges: int = 0
    refunds: int = 0
    charged_usd: Decimal = _ZERO
    refunded_usd: Decimal = _ZERO
    looks: int = 0
    downloads: int = 0

    @property
    def net_charges(self) -> int:
        """Charges that were not paid back: 1 is right, 2 is a duplicate."""
        return self.charges - self.refunds


@attrs.define
class Books:
    """Everything worth asserting on. Keys appear by their first characters only.

    Attributes:
        by_prompt: one entry per prompt.
        by_client_business_id: one entry per reference that was sent.
        accepted: tasks made.
        completed, failed: tasks ended, as far as the books are settled (``Simulator.books`` settles them).
        charged_usd, refunded_usd: USD.
        unfinished: tasks that are not ended.
        max_unfinished: the most there ever were at once.
        requests: by class of path: submit, query, lookup, upload, balance, models, tokens, file, chat, other.
        replies: by class of path and HTTP status; status 0 is a connection that was cut.
        with_key: requests that carried an Authorization header, by class of path.
        keys_seen: beginnings of the keys, by class of path.
        user_agents: how often each was seen.
        bytes_sent: bodies of files, as far as they were sent.
        bytes_uploaded: bodies of uploads that were taken.
        downloads: files fetched to their last byte.
        faults: how often each kind of misbehaviour struck.
        webhooks: events by outcome: delivered, refused (once for each attempt), gave_up, lost, repeated.

    """

    by_prompt: defaultdict[str, BooksEntry] = attrs.field(factory=lambda: defaultdict(BooksEntry))
    by_client_business_id: defaultdict[str, BooksEntry] = attrs.field(factory=lambda: defaultdict(BooksEntry))
    accepted: int = 0
    completed: int = 0
    failed: int = 0
    charged_usd: Decimal = _ZERO
    refunded_usd: Decimal = _ZERO
    unfinished: int = 0
    max_unfinished: int = 0
    requests: Counter[str] = attrs.field(factory=Counter)
    replies: Counter[tuple[str, int]] = attrs.field(factory=Counter)
    with_key: Counter[str] = attrs.field(factory=Counter)
    keys_seen: defaultdict[str, set[str]] = attrs.field(factory=lambda: defaultdict(set))
    user_agents: Counter[str] = attrs.field(factory=Counter)
    bytes_sent: int = 0
    bytes_uploaded: int = 0
    downloads: int = 0
    faults: Counter[str] = attrs.field(factory=Counter)
    webhooks: Counter[str] = attrs.field(factory=Counter)

    @property
    def posts(self) -> int:
        """Submissions that arrived, refused ones included."""
        return self.requests["submit"]

    @property
    def polls(self) -> int:
        """Status queries by task id."""
        return self.requests["query"]

    @property
    def lookups(self) -> int:
        """Status queries by ``client_business_id``, or by anything else that is no task id."""
        return self.requests["lookup"]

    @property
    def net_usd(self) -> Decimal:
        """What stays charged."""
        return self.charged_usd - self.refunded_usd

    @property
    def duplicates(self) -> dict[str, int]:
        """Prompts that stay charged more than once, and how often."""
        return {prompt: entry.net_charges for prompt, entry in self.by_prompt.items() if entry.net_charges > 1}

    @property
    def never_downloaded(self) -> tuple[str, ...]:
        """Prompts that stay charged and of which no file was fetched to its last byte."""
        return tuple(p for p, entry in self.by_prompt.items() if entry.net_charges > 0 and not entry.downloads)

    def refused(self, http_status: int, where: str = "submit") -> int:
        """How many calls of a class got this status."""
        return self.replies[where, http_status]

    def as_document(self) -> dict[str, object]:
        """All of it for JSON; money as decimal text."""
        return {
            "accepted": self.accepted,
            "completed": self.completed,
            "failed": self.failed,
            "charged_usd": decimal_text(self.charged_usd),
            "refunded_usd": decimal_text(self.refunded_usd),
            "net_usd": decimal_text(self.net_usd),
            "unfinished": self.unfinished,
            "max_unfinished": self.max_unfinished,
            "posts": self.posts,
            "polls": self.polls,
            "lookups": self.lookups,
            "downloads": self.downloads,
            "bytes_sent": self.bytes_sent,
            "bytes_uploaded": self.bytes_uploaded,
            "requests": dict(self.requests),
            "replies": {f"{where} {status}": count for (where, status), count in self.replies.items()},
            "with_key": dict(self.with_key),
            "keys_seen": {where: sorted(keys) for where, keys in self.keys_seen.items()},
            "user_agents": dict(self.user_agents),
            "faults": dict(self.faults),
            "webhooks": dict(self.webhooks),
            "duplicates": self.duplicates,
            "never_downloaded": list(self.never_downloaded),
            "by_prompt": {prompt: _entry(entry) for prompt, entry in self.by_prompt.items()},
            "by_client_business_id": {key: _entry(entry) for key, entry in self.by_client_business_id.items()},
        }


def _entry(entry: BooksEntry) -> dict[str, object]:
    return {
        "posts": entry.posts,
        "accepted": entry.accepted,
        "charges": entry.charges,
        "refunds": entry.refunds,
        "net_charges": entry.net_charges,
        "charged_usd": decimal_text(entry.charged_usd),
        "refunded_usd": decimal_text(entry.refunded_usd),
        "looks": entry.looks,
        "downloads": entry.downloads,
    }
