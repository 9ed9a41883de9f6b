"""The items under way in a session: who makes each one, and who else waits for it."""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias

import attrs

from toapis_async.batch.bookkeeping.recorder import ItemRecorder
from toapis_async.batch.outcomes import Item, Outcome
from toapis_async.values.tasks import GenerationTask

Follower: TypeAlias = Callable[[Outcome | Exception], None]
"""Hears an item's outcome, or why it was left without one."""


class Maker(Protocol):
    """Who makes an item; see ``batch.items.item_run.ItemRun``."""

    recorder: ItemRecorder
    task: GenerationTask | None

    @property
    def item(self) -> Item:
        """Which one."""
        ...

    def cancel(self) -> None:
        """End it at once, or as soon as an attempt that is under way is on the books."""
        ...


@attrs.define(eq=False)
class _InWork:
    item_run: Maker
    followers: list[Follower] = attrs.field(factory=list)
    end: Outcome | Exception | None = None


class ItemsInWork:
    """By key. Each item is begun once, may be followed by many, and is ended once."""

    def __init__(self) -> None:
        self._items: dict[str, _InWork] = {}
        self._references: set[str] = set()

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def uses(self, client_business_id: str) -> bool:
        """Whether an item under way goes by that reference of the user's."""
        return client_business_id in self._references

    def item_run(self, key: str) -> Maker:
        """Return who makes an item; only for one that is under way."""
        return self._items[key].item_run

    def begin(self, item_run: Maker) -> None:
        """Hear that an item is under way."""
        self._items[item_run.item.key] = _InWork(item_run)
        if item_run.item.request.client_business_id is not None:
            self._references.add(item_run.item.request.client_business_id)

    def follow(self, key: str, follower: Follower) -> None:
        """Tell somebody how an item under way ends; at once where it has ended and is still being delivered."""
        found = self._items[key]
        if found.end is None:
            found.followers.append(follower)
        else:
            follower(found.end)

    def tell(self, item_run: Maker, end: Outcome | Exception) -> None:
        """Hear how an item ended; the first end counts."""
        found = self._items.get(item_run.item.key)
        if found is None or found.item_run is not item_run or found.end is not None:
            return
        # Set before followers hear: one of them may begin to follow again.
        found.end = end
        # Let go of, so that a follower's own reference does not outlive the end.
        followers, found.followers = found.followers, []
        for follower in followers:
            follower(end)

    def end(self, item_run: Maker) -> None:
        """Hear that an item is under way no more."""
        found = self._items.get(item_run.item.key)
        if found is not None and found.item_run is item_run:
            del self._items[item_run.item.key]
            if item_run.item.request.client_business_id is not None:
                self._references.discard(item_run.item.request.client_business_id)
