"""From the gateway's 2xx replies to values. Tolerant of form, strict about facts: what is missing stays None.

The shapes: ``docs/contract.md#looking-at-a-task``. A reply that is not what was promised raises
``UnreadableReplyError``; one that says ``success: false`` under 200 raises what it means.
"""

import attrs

from toapis_async.values.exchange import HttpReply
from toapis_async.values.tasks import GenerationTask, Kind
from toapis_async.values.uploads import Upload
from toapis_async.wire.complaints import complaint_in
from toapis_async.wire.failures import upload_refused
from toapis_async.wire.json_objects import JsonObject, object_in, says_no, unreadable
from toapis_async.wire.scalars import id_of, name_of, size_of
from toapis_async.wire.tasks import address_of, ids_in, task_in


def task_from(
    reply: HttpReply, *, kind: Kind, asked: str | None = None, ours: frozenset[str] | None = None
) -> GenerationTask:
    """Read a task from the reply to a submission or to a look.

    Args:
        reply: with a 2xx status.
        kind: the endpoint's; replies do not say it reliably.
        asked: the id that we looked up, for replies that leave it out; None for a submission, whose reply must
            name the task.
        ours: what else the task is called; a reply that names neither that nor *asked*, not even as its
            ``client_business_id``, is about another task. None believes any name.

    Raises:
        UnreadableReplyError: no task in it, or another one. After a submission that says nothing about whether there
            is one.

    """
    whole = object_in(reply, promised="a task")
    task = task_in(whole, kind=kind, asked=asked)
    if task is None:
        raise unreadable(reply, promised="a task with an id", said=complaint_in(whole).message)
    if ours is None or asked is None or asked in {task.id, task.client_business_id}:
        return task
    if ours.isdisjoint(ids_in(task)):
        raise unreadable(reply, promised="the task that was asked for")
    return attrs.evolve(task, id=asked)


def upload_from(reply: HttpReply) -> Upload:
    """Read an upload.

    Raises:
        InvalidRequestError: ``success: false`` under 200: the file was refused.
        UnreadableReplyError: no address in it.

    """
    whole = object_in(reply, promised="an upload")
    if says_no(whole):
        raise upload_refused(reply)
    data = whole.get("data")
    said: JsonObject = data if type(data) is dict else whole
    url = address_of(said.get("url"))
    if url is None:
        raise unreadable(reply, promised="an upload with an address", said=complaint_in(whole).message)
    return Upload(
        id=id_of(said.get("id")),
        url=url,
        mime_type=name_of(said.get("mime_type")),
        size_bytes=size_of(said.get("size")),
    )
