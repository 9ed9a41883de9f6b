"""The body of a webhook, whose words differ from those of a status query."""

from toapis_async.testing.gateway.replies.result_bodies import items_of, with_result
from toapis_async.testing.gateway.tasks import SimulatedTask
from toapis_async.testing.scenario.settings import Scenario


def event_of(task: SimulatedTask, scenario: Scenario, file_base: str, now: float) -> tuple[str, dict[str, object]]:
    """The id of a task's one final event, and its document."""
    event_id = f"evt_{task.id.rpartition('_')[2].lower()}"
    failure = task.failure
    made: dict[str, object] = {"result": None}
    if failure is None:
        with_result(made, task, items_of(task, scenario, file_base), scenario, ())
    return event_id, {
        "id": event_id,
        "type": "generation.completed" if failure is None else "generation.failed",
        "api_version": "v1",
        "created_at": int(now),
        "data": {
            "task_id": task.id,
            "client_business_id": task.client_business_id,
            "task_type": task.kind,
            "model": task.model,
            "status": "SUCCESS" if failure is None else "FAILURE",
            "progress": "100%",
            **made,
            "error": None if failure is None else {"code": failure.code, "message": failure.message},
            "submitted_at": int(task.accepted_at),
            "finished_at": task.completed_at,
        },
    }
