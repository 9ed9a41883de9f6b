"""The body of a webhook, whose words differ from those of a status query."""

from toapis_async.testing.gateway.tasks import SimulatedTask


def event_of(task: SimulatedTask, base_url: str, now: float) -> tuple[str, dict[str, object]]:
    """The id of a task's one final event, and its document."""
    event_id = f"evt_{task.id.rpartition('_')[2].lower()}"
    failure = task.failure
    result = {"type": task.kind, "data": [{"url": f"{base_url}{file.path}"} for file in task.files]}
    error = None if failure is None else {"code": failure.code, "message": failure.message}
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
            "result": result if failure is None else None,
            "error": error,
            "submitted_at": int(task.accepted_at),
            "finished_at": task.completed_at,
        },
    }
