"""How long a file host may take: one rule over useful bytes and time, for the whole exchange.

Useful are bytes that reach the file. Interim replies, headers, chunk framing, trailers and compressed blocks that hold
nothing are not, however many of them come.
"""

import attrs


@attrs.frozen(kw_only=True)
class ProgressRule:
    """What a file host has to do to be waited for.

    Attributes:
        first_byte_seconds: for the first useful byte, redirects and everything else included, on the first try; twice
            as long on the next, and so on.
        longest_first_byte_seconds: the most that this grows to.
        bytes_per_second: the least speed after the first useful byte.
        behind_seconds: how far a transfer may fall behind that speed; silence is falling behind, too.
        late_seconds: how far it may fall behind, or wait for the first byte, before it counts as slow and others may
            go before it.

    """

    first_byte_seconds: float = 30.0
    longest_first_byte_seconds: float = 120.0
    bytes_per_second: float = 1024.0
    behind_seconds: float = 30.0
    late_seconds: float = 2.0

    def begin(self, now: float, *, failures: int = 0) -> "Progress":
        """Begin a transfer.

        Args:
            now: monotonic seconds.
            failures: how many tries for this file have failed so far.

        """
        grown = self.first_byte_seconds * 2.0 ** min(failures, 16)
        patience = max(self.first_byte_seconds, min(grown, self.longest_first_byte_seconds))
        return Progress(rule=self, paid_until=now, patience=patience)


@attrs.frozen(kw_only=True)
class Progress:
    """How far a transfer has come.

    Attributes:
        rule: which it is held to.
        paid_until: the moment up to which its bytes have paid for its time, in monotonic seconds.
        patience: how many seconds after that it ends.
        begun: whether a useful byte has come.

    """

    rule: ProgressRule
    paid_until: float
    patience: float
    begun: bool = False

    @property
    def late_at(self) -> float:
        """When it counts as slow unless more comes."""
        return self.paid_until + self.rule.late_seconds

    @property
    def ends_at(self) -> float:
        """When it is given up unless more comes."""
        return self.paid_until + self.patience

    def received(self, size: int, now: float) -> "Progress":
        """Return the progress after so many useful bytes more; speed in the past does not pay for the future."""
        paid = min(now, self.paid_until + size / self.rule.bytes_per_second) if self.begun else now
        return Progress(rule=self.rule, paid_until=paid, patience=self.rule.behind_seconds, begun=True)

    def paused(self, seconds: float) -> "Progress":
        """Return the progress after a pause that was no fault of the host's, such as a slow disk."""
        paid = self.paid_until + seconds
        return Progress(rule=self.rule, paid_until=paid, patience=self.patience, begun=self.begun)
