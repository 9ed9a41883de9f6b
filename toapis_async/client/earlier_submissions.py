"""Whether a request whose reference is the user's own was sent before, by whoever had the job earlier."""

import attrs

from toapis_async.client.asking import find_submission, look_once
from toapis_async.client.gateway import Gateway
from toapis_async.errors import SubmissionUnknownError
from toapis_async.policy.money.asking import Resumption, Verdict, step_resumed
from toapis_async.values.tasks import GenerationTask, Kind


@attrs.define(kw_only=True, eq=False, repr=False)
class EarlierSubmissions:
    """Looks for them before a first POST.

    Attributes:
        gateway: where to ask.
        hint: what to do where it cannot be found out.

    """

    gateway: Gateway
    hint: str = "Ask again later. If you are sure that there is no task, give it another client_business_id."
    _witness: str | None = None

    async def find(self, reference: str, kind: Kind, *, resubmit: bool) -> GenerationTask | None:
        """Return the task that carries a reference, or None once the request may be sent; takes the grace period.

        Args:
            reference: the user's ``client_business_id``.
            kind: of task.
            resubmit: whether the user prefers a second charge to a doubt.

        Raises:
            SubmissionUnknownError: neither could be shown.

        """
        # Once at once: where the job was sent before, nobody waits for the grace period.
        seen = await look_once(self.gateway, reference, kind)
        if isinstance(seen, GenerationTask):
            return seen
        rounds = 0
        while True:
            found = await find_submission(
                self.gateway, reference, kind, grace_seconds=self.gateway.grace.settled_seconds
            )
            if isinstance(found, GenerationTask):
                return found
            rounds += 1
            if await self._may_be_sent(reference, kind, found, rounds, resubmit=resubmit):
                return None

    async def _may_be_sent(self, reference: str, kind: Kind, found: Verdict, rounds: int, *, resubmit: bool) -> bool:
        clean = found is Verdict.NOT_ACCEPTED or await look_once(self.gateway, reference, kind) is True
        step = step_resumed(
            found,
            clean_miss=clean,
            keeps_client_ids=self.gateway.client_ids.keeps,
            others_ahead=self._witness is not None,
            rounds=rounds,
        )
        # Remembered by reference, so that only the end of that very submission opens the way for another.
        if step is Resumption.LEAD:
            self._witness = reference
        elif step is Resumption.REPORT and not resubmit:
            raise SubmissionUnknownError(
                f"Whether {reference} was submitted before could not be found out. It was not sent, because it may "
                "have been charged.",
                client_business_id=reference,
                hint=self.hint,
            )
        return step is not Resumption.ASK_AGAIN

    def ended(self, reference: str) -> None:
        """Hear that the submission under a reference has ended; one that showed nothing lets another go ahead."""
        if self._witness == reference and self.gateway.client_ids.recent_task is None:
            self._witness = None
