"""The input of a run: named, taken lazily, looked up."""

from contextlib import AsyncExitStack

import attrs
import pytest

from toapis_async.batch.incoming.inputs import LOOKUP_BATCH, Inputs, ItemIndex
from toapis_async.policy.files.naming import item_key
from toapis_async.storage.files.atomic_files import OutputDirectory
from toapis_async.storage.journal.key_ledger import KeyLedger
from toapis_async.storage.journal.memory_journal import MemoryJournal
from toapis_async.values.records import Accepted, Intended, ItemState
from toapis_async.values.requests import ImageRequest


@pytest.fixture
async def item_index(scripted_gateway, tmp_path):
    """Make a item_index over a journal that holds some items already."""
    ledgers = AsyncExitStack()

    async def make(*earlier):
        journal = MemoryJournal()
        for request in earlier:
            key = item_key(request, 0)
            journal.note(Intended(key=key, attempt=1, client_business_id=f"c-{key}", request=request, at=1.0))
            journal.note(Accepted(key=key, attempt=1, task_id=f"t-{key}", kind="image", at=2.0))
        await journal.__aenter__()
        ledger = await ledgers.enter_async_context(KeyLedger())
        directory = OutputDirectory(tmp_path)
        return ItemIndex(gateway=scripted_gateway([]), journal=journal, sink=directory, ledger=ledger)

    async with ledgers:
        yield make


class Counted:
    """An iterable that knows how far it was taken."""

    def __init__(self, requests):
        self.requests, self.taken = requests, 0

    def __iter__(self):
        for request in self.requests:
            self.taken += 1
            yield request


def many(count):
    return (ImageRequest(f"fox {number}") for number in range(count))


async def everything(inputs):
    entries = []
    while (entry := await inputs.next()) is not None:
        entries.append(entry)
    return entries


async def test_entries_come_in_order_with_their_place(item_index):
    """Each request becomes an entry with its place in the input, and the end is told again and again."""
    inputs = Inputs(many(5), await item_index())
    assert [entry.item.index for entry in await everything(inputs)] == [0, 1, 2, 3, 4]
    assert await inputs.next() is None


async def test_the_same_input_has_the_same_keys(item_index):
    """Keys do not depend on the run, and requests that are equal are told apart by their order."""
    requests = [ImageRequest("a fox"), ImageRequest("a fox"), ImageRequest("an owl"), ImageRequest("a fox", id="mine")]
    first = [entry.item.key for entry in await everything(Inputs(requests, await item_index()))]
    second = [entry.item.key for entry in await everything(Inputs(requests, await item_index()))]
    assert first == second
    assert len(set(first)) == 4
    assert first[-1] == "mine"


async def test_the_market_page_s_spelling_of_a_model_is_the_same_item(item_index):
    """The dashed id of a model is the dotted one: the same wish, the same key, with an id of its own or without."""
    plain = [ImageRequest("a fox"), ImageRequest("a fox", id="cat")]
    dashed = [attrs.evolve(request, model="gemini-2-5-flash-image-preview") for request in plain]
    entries = [await everything(Inputs(some, await item_index(*plain))) for some in (plain, dashed)]

    one, other = ([(entry.item.key, entry.item.request, entry.error) for entry in some] for some in entries)
    assert one == other


async def test_a_new_directory_is_taken_one_by_one(item_index):
    """Where nothing is to be looked up, no more is taken than is asked for."""
    source = Counted(many(1000))
    inputs = Inputs(source, await item_index())
    for _ in range(3):
        await inputs.next()
    assert source.taken == 3


async def test_an_old_directory_is_taken_in_batches(item_index):
    """Where there is something to look up, a bounded number is taken at once, and each is known again."""
    earlier = ImageRequest("fox 7")
    source = Counted(many(1000))
    inputs = Inputs(source, await item_index(earlier))
    entries = [await inputs.next() for _ in range(10)]
    assert source.taken == LOOKUP_BATCH
    assert [entry.record for entry in entries[:7]] == [None] * 7
    assert ItemState.ACCEPTED is entries[7].record.state
    assert f"t-{entries[7].item.key}" == entries[7].record.task_id


async def test_async_inputs_are_never_waited_for_twice(item_index):
    """An async input may be slow, so it is taken one by one even where there is something to look up."""
    taken = []

    async def source():
        for request in many(5):
            taken.append(request)
            yield request

    inputs = Inputs(source(), await item_index(ImageRequest("fox 0")))
    assert (await inputs.next()).record is not None
    assert len(taken) == 1
    assert len(await everything(inputs)) == 4


async def test_wrong_requests_are_entries_with_an_error(item_index):
    """What cannot be sent goes by as an error in its place, and does not stop the others."""
    requests = [ImageRequest("a fox"), ImageRequest(""), "no request", ImageRequest("an owl", id="x", size="17:3")]
    entries = await everything(Inputs(requests, await item_index()))
    assert [entry.error is not None for entry in entries] == [False, True, True, True]
    assert len({entry.item.key for entry in entries}) == 4
    assert [entry.item.index for entry in entries] == [0, 1, 2, 3]


async def test_an_id_is_used_once(item_index):
    """A second request under the same id would overwrite the first one's files, so it is refused."""
    entries = await everything(Inputs([ImageRequest("a", id="x"), ImageRequest("b", id="x")], await item_index()))
    assert entries[0].error is None
    assert "'x'" in entries[1].error.message


async def test_a_reference_is_used_once(item_index):
    """Two requests under one client_business_id could not be told apart by a lookup."""
    twice = [ImageRequest(prompt, client_business_id="order-1") for prompt in ("a", "b")]
    first, second = await everything(Inputs(twice, await item_index()))
    assert first.error is None
    assert "order-1" in second.error.message


async def test_what_is_no_iterable_is_told(item_index):
    """A request in place of requests is a mistake that is told at once."""
    with pytest.raises(TypeError):
        Inputs(ImageRequest("a fox"), await item_index())


async def test_a_name_that_was_given_ahead_is_not_given_twice(item_index):
    """Two inputs of one session that are read side by side never share a key before the first of them has begun."""
    names = await item_index(ImageRequest("other"))
    ahead = Inputs([ImageRequest("fox")] * 2 + [ImageRequest("owl")], names, number=1)
    beside = Inputs([ImageRequest("fox"), ImageRequest("owl")], names, number=2)
    keys = [(await source.next()).item.key for source in (ahead, beside, ahead, beside, ahead)]
    assert len(set(keys)) == 5


async def test_a_name_that_nobody_came_for_is_free_again(item_index):
    """What a stopped input had taken ahead is given to the next one under the same name."""
    names = await item_index(ImageRequest("other"))
    requests = [ImageRequest("fox"), ImageRequest("owl")]
    stopped = Inputs(requests, names, number=1)
    names.free([await stopped.next()])
    await stopped.aclose()
    assert names.reserved == set()
    again = Inputs(requests, names, number=2)
    assert [(await again.next()).item.key for _ in requests] == [item_key(request, 0) for request in requests]
