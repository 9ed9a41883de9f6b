"""A signer of webhooks."""

import hmac
import json
import time
from hashlib import sha256

import pytest

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def secret():
    """The secret that deliveries are signed with."""
    return SECRET


@pytest.fixture
def delivery():
    """Make a delivery: its body and its headers."""

    def make(task_id="tsk_1", *, event_id=None, at=None, secrets=(SECRET,), body=None, kind="completed", **data):
        event_id = event_id or f"evt_{task_id}"
        status = "FAILURE" if kind == "failed" else "SUCCESS"
        result = {"type": "image", "data": [{"url": f"https://files.example/{task_id}.png"}]}
        said = {
            "id": event_id,
            "type": f"generation.{kind}",
            "api_version": "v1",
            "created_at": 1_783_953_302,
            "data": {"task_id": task_id, "task_type": "image", "status": status, "result": result, **data},
        }
        body = json.dumps(said).encode() if body is None else body
        timestamp = str(int(time.time() if at is None else at))
        signed = f"{event_id}.{timestamp}.".encode() + body
        signatures = ",".join("v1=" + hmac.new(one.encode(), signed, sha256).hexdigest() for one in secrets)
        return body, {
            "X-ToAPIs-Webhook-Id": event_id,
            "x-toapis-webhook-timestamp": timestamp,
            "X-ToAPIs-Webhook-Signature": signatures,
        }

    return make
