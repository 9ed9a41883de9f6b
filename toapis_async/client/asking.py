"""Finding out what became of a POST whose reply was lost, by asking for its ``client_business_id``."""

from toapis_async.client.gateway import Gateway
from toapis_async.errors import APIConnectionError, AuthenticationError, SubmissionUnknownError, ToAPIsError
from toapis_async.policy.money.asking import Verdict, ask_delay_seconds, verdict
from toapis_async.policy.money.delivery import proves_absence
from toapis_async.values.tasks import GenerationTask, Kind

# A task younger than this may just not be found yet; it proves nothing about the gateway.
RECENT_TASK_AGE_SECONDS = 10.0


async def find_submission(
    gateway: Gateway, client_business_id: str, kind: Kind, *, grace_seconds: float
) -> GenerationTask | Verdict:
    """Ask until the task is found, or its absence is proved, or neither can be had.

    Args:
        gateway: where to ask.
        client_business_id: what the attempt carried.
        kind: where it was sent.
        grace_seconds: how long misses prove nothing.

    Returns:
        the task, or ``Verdict.NOT_ACCEPTED``, or ``Verdict.UNKNOWN``.

    Raises:
        AuthenticationError: the key is refused; nothing can be asked.

    """
    clock = gateway.clock
    start = clock.monotonic()
    asked = 0
    while True:
        await clock.sleep(ask_delay_seconds(asked))
        asked += 1
        # A miss proves something about the moment of the question; its answer may have been long on the way.
        waited = clock.monotonic() - start
        found = await look_once(gateway, client_business_id, kind)
        if isinstance(found, GenerationTask):
            return found
        if gateway.client_ids.keeps is None:
            await _try_earlier_task(gateway)
        if gateway.client_ids.keeps is None:
            await _try_recent_task(gateway)
        judged = verdict(
            waited_seconds=waited,
            grace_seconds=grace_seconds,
            last_was_clean_miss=found,
            keeps_client_ids=gateway.client_ids.keeps,
        )
        # An echo promises that the recent task will soon settle what a miss means here.
        promising = gateway.client_ids.keeps is None and gateway.client_ids.echoes and waited < 2 * grace_seconds
        if judged is not Verdict.ASK_AGAIN and not (judged is Verdict.UNKNOWN and promising):
            return judged


async def look_once(gateway: Gateway, client_business_id: str, kind: Kind) -> GenerationTask | bool:
    """Look once: the task, True for a clean "no such task", False where asking itself failed.

    Raises:
        AuthenticationError: the key is refused.

    """
    try:
        task = await gateway.look(client_business_id, kind)
    except AuthenticationError:
        raise
    except ToAPIsError as error:
        gateway.client_ids.answered = gateway.client_ids.answered or not isinstance(error, APIConnectionError)
        return proves_absence(error)
    gateway.client_ids.answered = True
    # A gateway that answers any path with some task has not found ours.
    if task.client_business_id not in {None, client_business_id}:
        return False
    # Nor has one whose reply names no task at all, such as an error under 200 with a "status" in it.
    if task.id == client_business_id and task.client_business_id is None:
        return False
    gateway.client_ids.keeps = True
    return task


async def _try_earlier_task(gateway: Gateway) -> None:
    """Ask for a task of an earlier run; that it is not found proves nothing, since gateways forget old tasks."""
    earlier = gateway.client_ids.earlier_task
    if earlier is None:
        return
    client_business_id, task_id, kind = earlier
    try:
        task = await gateway.look(client_business_id, kind)
    except ToAPIsError as error:
        if proves_absence(error):
            gateway.client_ids.earlier_task = None
    else:
        if task.id == task_id:
            gateway.client_ids.keeps = True


async def _try_recent_task(gateway: Gateway) -> None:
    """Ask for a task that certainly exists, to learn whether a miss means anything here."""
    recent = gateway.client_ids.recent_task
    if recent is None or gateway.clock.monotonic() - recent[3] < RECENT_TASK_AGE_SECONDS:
        return
    client_business_id, task_id, kind, _ = recent
    try:
        task = await gateway.look(client_business_id, kind)
    except ToAPIsError as error:
        if proves_absence(error):
            gateway.client_ids.keeps = False
    else:
        if task.id == task_id:
            gateway.client_ids.keeps = True


def unknown_error(
    failure: ToAPIsError, client_business_id: str, *, elsewhere: str | None = None
) -> SubmissionUnknownError:
    """Make the error for an attempt of which it is not known whether it was accepted.

    Args:
        failure: how the attempt ended.
        client_business_id: of the attempt.
        elsewhere: the gateway that it went to, where that is not the one which was asked.

    """
    if elsewhere is not None:
        return SubmissionUnknownError(
            f"The attempt was sent to another gateway ({elsewhere}), and this one does not have it. It was not sent "
            "again, because it may have been charged there.",
            client_business_id=client_business_id,
            hint="Resume with the base URL of that gateway.",
        )
    return SubmissionUnknownError(
        f"Whether a task exists could not be found out ({failure.message.rstrip('.')}). It was not sent again, "
        "because it may have been charged.",
        client_business_id=client_business_id,
        hint=f"Ask again later: toapis status {client_business_id}. If you are sure that there is none, submit again "
        "(--resubmit-unknown, on_unknown='resubmit').",
    )
