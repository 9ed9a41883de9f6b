"""One bad link, or a file host that gives nothing."""

import pytest

from toapis_async.errors import (
    APITimeoutError,
    ContentMismatchError,
    Delivery,
    DownloadError,
    LinkExpiredError,
    ServerError,
    StorageError,
    TruncatedError,
)
from toapis_async.policy.network.host_outage import Held, HostFailures, is_host_down, judge
from toapis_async.policy.network.outage import OUTAGE_SECONDS

DOWN = DownloadError("connection refused")


def known(**more):
    """Several items fail, and nothing has come for a while."""
    return HostFailures(**{"in_a_row": 3, "under_way": 5, "held_seconds": 10.0, "others_came": False, **more})


@pytest.mark.parametrize(
    ("error", "down"),
    [
        (DOWN, True),
        (DownloadError("x", http_status=503), True),
        (DownloadError("x", http_status=429), True),
        (ServerError("x", http_status=502), True),
        (APITimeoutError("x", delivery=Delivery.UNKNOWN), True),
        (DownloadError("x", http_status=400), False),
        (LinkExpiredError("x", http_status=404), False),
        (TruncatedError("x"), False),
        (ContentMismatchError("x"), False),
        (StorageError("x"), False),
    ],
)
def test_what_may_be_about_all(error, down):
    """A host that is not there or not well is; a dead link, a broken file and a full disk are not."""
    assert is_host_down(error) is down


@pytest.mark.parametrize(
    ("facts", "held"),
    [
        (known(), Held.HOLD),
        (known(in_a_row=1, under_way=1), Held.END),
        (known(in_a_row=1, under_way=2), Held.HOLD),
        (known(in_a_row=2, under_way=1), Held.HOLD),
        (known(others_came=True), Held.END),
        (known(held_seconds=OUTAGE_SECONDS), Held.STOP),
        (known(held_seconds=OUTAGE_SECONDS, others_came=True), Held.END),
    ],
)
def test_an_outage_is_told_from_a_bad_link_by_what_others_meet(facts, held):
    """An item is held while nothing comes for anybody, ends alone, and stops the run after five minutes of nothing."""
    assert judge(DOWN, facts) is held


def test_a_dead_link_never_holds():
    """Whatever the others meet, it is about this item."""
    assert judge(LinkExpiredError("x"), known()) is Held.END
