"""Webhooks: genuine ones are read, all others are refused."""

import hmac
import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toapis_async.errors import ConfigurationError, WebhookVerificationError
from toapis_async.values.tasks import TaskFailure, TaskStatus
from toapis_async.wire.webhooks import verify_webhook

SAMPLES = Path(__file__).parents[1] / "samples"
SECRET = "0123456789abcdef0123456789abcdef"
NOW = 1783953305.0


def sign(body, *, event_id="evt_1", timestamp="1783953302", secret=SECRET):
    """Sign as the documentation says: hex HMAC-SHA256 of id, time and raw body, joined by dots."""
    return hmac.new(secret.encode(), b".".join([event_id.encode(), timestamp.encode(), body]), sha256).hexdigest()


def headers(body, *, event_id="evt_1", timestamp="1783953302", signature=None):
    """Make the headers of a delivery."""
    return {
        "User-Agent": "ToAPIs-Webhook/1.0",
        "X-ToAPIs-Webhook-Id": event_id,
        "X-ToAPIs-Webhook-Timestamp": timestamp,
        "X-ToAPIs-Webhook-Signature": signature or f"v1={sign(body, event_id=event_id, timestamp=timestamp)}",
    }


def verify(body, sent, **overrides):
    """Verify with this file's defaults."""
    return verify_webhook(body, sent, **{"secrets": SECRET, "now": NOW, **overrides})


def test_a_fixed_vector_holds():
    """The signature of one event was reckoned elsewhere (openssl dgst -sha256 -hmac) and is accepted."""
    body = b'{"id":"evt_v","type":"endpoint.test","created_at":1783953302,"data":{}}'
    sent = headers(
        body,
        event_id="evt_v",
        signature="v1=19fc0dc73068f5bad1e839897f481ef223d48de6d4a3a56ac4ede2d6c35d6d40",
    )

    event = verify(body, sent)

    assert (event.id, event.type, event.task) == ("evt_v", "endpoint.test", None)


def test_a_completed_event_carries_the_task():
    """SUCCESS and 100% become the same values as a look at the task would."""
    body = (SAMPLES / "webhook_generation_completed.json").read_bytes()

    event = verify(body, headers(body, event_id="evt_01abcdef"))

    assert (event.id, event.type) == ("evt_01abcdef", "generation.completed")
    assert datetime(2026, 7, 13, 14, 35, 2, tzinfo=UTC) == event.created_at
    assert (
        event.task.id,
        event.task.kind,
        event.task.status,
        event.task.progress,
    ) == ("tsk_01abcdef", "image", TaskStatus.COMPLETED, 100)
    assert event.task.urls == ("https://cdn.example/result.png",)
    assert (event.task.client_business_id, event.task.model) == ("order_123", "model-name")
    assert (event.task.created_at.timestamp(), event.task.completed_at.timestamp()) == (1783953000, 1783953300)
    assert event.raw["api_version"] == "v1"


def test_a_failed_event_carries_the_reason():
    """FAILURE becomes a failed task with its reason, of the kind that it says."""
    body = (SAMPLES / "webhook_generation_failed.json").read_bytes()

    event = verify(body, headers(body))

    assert (event.task.kind, event.task.status) == ("video", TaskStatus.FAILED)
    assert TaskFailure(code="generation_failed", message="Generation failed after retries") == event.task.error


def test_after_a_rotation_either_secret_will_do():
    """Two signatures in the header, or two secrets here: one match is enough, in any place."""
    body = b'{"type":"endpoint.test"}'
    both = headers(body, signature=f"v1={sign(body, secret='new')}, v1={sign(body, secret='old')}")

    assert verify(body, both, secrets="old").type == "endpoint.test"
    assert verify(body, both, secrets=["other", "new"]).type == "endpoint.test"
    with pytest.raises(WebhookVerificationError):
        verify(body, both, secrets=["other", "neither"])


@pytest.mark.parametrize("now", [1783953302 - 300, 1783953302 + 300])
def test_the_edge_of_the_tolerance_is_inside(now):
    """300 s either way are accepted, a second more is not."""
    body = b'{"type":"endpoint.test"}'

    assert verify(body, headers(body), now=now)
    with pytest.raises(WebhookVerificationError, match="signed at 1783953302"):
        verify(body, headers(body), now=now + (1 if now > 1783953302 else -1))


@pytest.mark.parametrize(
    "change",
    [
        {"X-ToAPIs-Webhook-Signature": "v1=" + "0" * 64},
        {"X-ToAPIs-Webhook-Signature": ""},
        {"X-ToAPIs-Webhook-Signature": "v2=" + sign(b'{"type":"endpoint.test"}')},
        {"X-ToAPIs-Webhook-Signature": sign(b'{"type":"endpoint.test"}')},
        {"X-ToAPIs-Webhook-Signature": "v1=é"},
        {"X-ToAPIs-Webhook-Id": "evt_2"},
        {"X-ToAPIs-Webhook-Id": ""},
        {"X-ToAPIs-Webhook-Timestamp": "1783953303"},
        {"X-ToAPIs-Webhook-Timestamp": "nan"},
    ],
)
def test_a_changed_header_is_refused(change):
    """Signature, event id and time are all covered."""
    body = b'{"type":"endpoint.test"}'

    with pytest.raises(WebhookVerificationError) as caught:
        verify(body, headers(body) | change)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("timestamp", ["", "nan", "-1783953302", "1783953302.0", "9" * 400, "soon"])
def test_a_signed_but_senseless_time_is_refused(timestamp):
    """A signature does not make a time."""
    body = b'{"type":"endpoint.test"}'

    with pytest.raises(WebhookVerificationError):
        verify(body, headers(body, timestamp=timestamp))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<html>",
        b"{}",
        b'{"type":""}',
        b'{"type":7.5}',
        b'{"type":"generation.completed"}',
        b'{"type":"generation.failed","data":{"task_type":"image"}}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_a_signed_body_of_the_wrong_form_is_refused(body):
    """What cannot be understood raises the one error, whatever it is."""
    with pytest.raises(WebhookVerificationError):
        verify(body, headers(body))


@pytest.mark.parametrize("secrets", ["", [], [""], ["right", ""]])
def test_an_empty_secret_is_a_wrong_setting(secrets):
    """With an empty secret anyone could sign."""
    with pytest.raises(ConfigurationError):
        verify(b"{}", headers(b"{}"), secrets=secrets)


def test_header_names_compare_without_case():
    """Web frameworks hand them over in every case."""
    body = json.dumps({"type": "endpoint.test"}).encode()

    assert verify(body, {name.upper(): value for name, value in headers(body).items()}).type == "endpoint.test"


@given(st.binary(max_size=200), st.dictionaries(st.text(max_size=20), st.text(max_size=40), max_size=4), st.text())
def test_noise_is_only_ever_refused(body, noise, signature):
    """No body and no header raises anything outside the family."""
    for sent in (noise, headers(b"") | {"X-ToAPIs-Webhook-Signature": signature}):
        with pytest.raises(WebhookVerificationError):
            verify(body, sent)
