"""What runs whose journal is gone may have at the gateway: asked for before the same wish is sent anew."""

from collections.abc import Collection, Mapping

import attrs

from toapis_async.client.asking import look_once
from toapis_async.client.earlier_submissions import EarlierSubmissions
from toapis_async.client.gateway import Gateway
from toapis_async.policy.files.naming import client_business_id
from toapis_async.values.tasks import GenerationTask, Kind

_HINT = (
    "Bring the journal (.toapis) of the run that was not finished, or ask again later. If you are sure that there is "
    "no task, submit again (--resubmit-unknown, on_unknown='resubmit')."
)


@attrs.define(kw_only=True, eq=False, repr=False)
class LostSubmissions:
    """Looks for them by the references that such a run must have sent.

    Attributes:
        gateway: where to ask.
        runs: lost runs by their id, each with the most attempts that an item had.
        resubmit: whether the user prefers a second charge to a doubt.
        since: when the last of these runs had ended for sure, on the monotonic clock.

    """

    gateway: Gateway
    runs: Mapping[str, int]
    resubmit: bool
    since: float
    _earlier: EarlierSubmissions = attrs.field(
        init=False,
        default=attrs.Factory(lambda self: EarlierSubmissions(gateway=self.gateway, hint=_HINT), takes_self=True),
    )

    async def find(
        self, key: str, kind: Kind, *, own: str | None, known: Collection[str]
    ) -> tuple[str, GenerationTask] | None:
        """Return the task of a lost run and its reference, or None once the item may be sent.

        Args:
            key: of the item.
            kind: of task.
            own: the user's own reference for it, or None.
            known: ids of tasks of the item that are known, which are passed over.

        Raises:
            AuthenticationError: the key is refused.
            SubmissionUnknownError: it could not be found out.

        """
        names, clock = self._names(key, own), self.gateway.clock
        grace = self.gateway.grace.settled_seconds
        while names:
            # A miss proves something about the moment of the question.
            waited, clean = clock.monotonic() - self.since, True
            for name in names:
                found = await look_once(self.gateway, name, kind)
                if isinstance(found, GenerationTask):
                    if found.id not in known:
                        return name, found
                else:
                    clean &= found
            if not (clean and self.gateway.client_ids.keeps):
                return await self._find_patiently(names, kind, known)
            if waited >= grace:
                return None
            await clock.sleep(grace - waited)
        return None

    async def _find_patiently(
        self, names: list[str], kind: Kind, known: Collection[str]
    ) -> tuple[str, GenerationTask] | None:
        """Ask where it is not known what a miss means, or where asking fails."""
        for name in names:
            found = await self._earlier.find(name, kind, resubmit=self.resubmit)
            if found is not None and found.id not in known:
                return name, found
        return None

    def ended(self, key: str, own: str | None) -> None:
        """Hear that the submission of an item has ended, in whatever way."""
        for name in self._names(key, own):
            self._earlier.ended(name)

    def _names(self, key: str, own: str | None) -> list[str]:
        names = (
            client_business_id(run_id, key, attempt, own=own)
            for run_id, most in self.runs.items()
            for attempt in range(1, most + 1)
        )
        return list(dict.fromkeys(names))
