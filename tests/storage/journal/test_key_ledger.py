"""Counting keys without keeping them."""

from hypothesis import given
from hypothesis import strategies as st

from toapis_async.storage.journal.key_ledger import KeyLedger


@given(keys=st.lists(st.text(st.characters(), max_size=2), max_size=60))
def test_counts_as_a_dictionary_would(keys: list[str]) -> None:
    """Each key is told how often it came before, whatever its characters."""
    ledger = KeyLedger()
    expected: dict[str, int] = {}
    for key in keys:
        assert ledger.seen(key) == expected.get(key, 0)
        expected[key] = expected.get(key, 0) + 1
    ledger.close()


async def test_closing_forgets() -> None:
    """After its ``async with`` a ledger begins anew; closing twice is no error."""
    ledger = KeyLedger()
    async with ledger:
        assert [ledger.seen("a"), ledger.seen("a")] == [0, 1]
    ledger.close()
    assert ledger.seen("a") == 0
    ledger.close()


def test_many_keys_in_the_file() -> None:
    """Keys beyond the cache are counted as well as those within it."""
    ledger = KeyLedger()
    assert sum(ledger.seen(f"key {number}") for number in range(20_000)) == 0
    assert [ledger.seen(f"key {number}") for number in range(0, 20_000, 500)] == [1] * 40
    ledger.close()
