"""Every recorded task, decoded to the value that it stands for: one row per sample."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from toapis_async.values.exchange import HttpReply
from toapis_async.values.tasks import Billing, GenerationTask, TaskFailure, TaskFile, TaskStatus
from toapis_async.wire.decoding import task_from

SAMPLES = Path(__file__).parents[1] / "samples"
STATUSES = {"": TaskStatus.UNRECOGNISED, "cancelled": TaskStatus.FAILED}


def task(task_id, word, *, kind="image", files=(), error=None, billing=None, **facts):
    """Write an expected task briefly: times in epoch seconds, amounts as text."""
    for name in ("created_at", "completed_at", "expires_at"):
        if name in facts:
            facts[name] = datetime.fromtimestamp(facts[name], UTC)
    if billing is not None:
        status, *amounts = billing
        credit, cost = (None if amount is None else Decimal(amount) for amount in amounts)
        billing = Billing(status=status, credits=credit, cost_usd=cost)
    return GenerationTask(
        id=task_id,
        kind=kind,
        status=STATUSES.get(word) or TaskStatus(word),
        status_text=word,
        files=files,
        error=None if error is None else TaskFailure(code=error[0], message=error[1]),
        billing=billing,
        **facts,
    )


def file(url, **facts):
    """Write an expected file briefly."""
    return TaskFile(url=url, **facts)


# "asked" is the id that was looked up: some replies name none.
EXPECTED = {
    "create_image_no_metadata": task(
        "task_01KABCDEF1234567890", "queued", progress=0, model="viduq3-fast", created_at=1784169600
    ),
    "create_image_pending_docs_gpt25": task(
        "tsk_img_example", "pending", progress=0, model="gpt-image-2.5-flare-vip", created_at=1788951900
    ),
    "create_image_pending_live": task(
        "tsk_img_01KZQCGAHER4ZP0PZGTJFWGX7A", "pending", progress=0, model="gpt-image-2", created_at=1786417523
    ),
    "create_image_queued": task(
        "task_img_abc123def456", "queued", progress=0, model="gemini-3-pro-image-preview", created_at=1703884800
    ),
    "create_image_queued_tsk_img": task(
        "tsk_img_01KPTXXXXXXXXXXXXXXX", "queued", progress=0, model="gpt-image-2", created_at=1703884800
    ),
    "create_image_with_client_business_id": task(
        "tsk_img_01KPTXXXXXXXXXXXXXXX",
        "queued",
        progress=0,
        model="gpt-4o-image",
        client_business_id="order_20260428_001",
        created_at=1703884800,
    ),
    "create_persona_queued": task(
        "task_01KBYT59JDHB4A3KDDR9N9JVWP", "queued", kind="video", progress=0, model="sora-2", created_at=1703884800
    ),
    "create_tolerated_task_id_only": task(
        "tsk_img_01KTH000000000000000000000",
        "queued",
    ),
    "create_video_in_progress_client_business_id": task(
        "tsk_vid_xxx",
        "in_progress",
        kind="video",
        progress=10,
        model="seedance-2-mini",
        client_business_id="order_20260616_001",
        created_at=1781577600,
    ),
    "create_video_live_envelope_empty_status": task(
        "video_task_123", "", kind="video", progress=0, model="seedance-2-5", created_at=1788419339
    ),
    "create_video_live_envelope_failed": task(
        "video_task_123",
        "failed",
        kind="video",
        progress=100,
        model="seedance-2-5",
        created_at=1788419339,
        error=("generation_failed", "Provider generation failed"),
    ),
    "create_video_metadata_aspect_ratio": task(
        "video_01K8SGYNNNVBQTXNR4MM964S7K",
        "queued",
        kind="video",
        progress=0,
        model="veo3.1-fast",
        created_at=1768380224,
    ),
    "create_video_metadata_size_seconds": task(
        "video_01K8SGYNNNVBQTXNR4MM964S7K",
        "queued",
        kind="video",
        progress=0,
        model="sora-2-official",
        created_at=1768380224,
    ),
    "create_video_no_progress_no_metadata": task(
        "video_01JZEXAMPLE", "queued", kind="video", model="gemini-omni-flash", created_at=1779247407
    ),
    "create_video_remix_object_video": task(
        "video_68ff7cef76cc8190b7eab9395e936d9e",
        "queued",
        kind="video",
        progress=0,
        model="sora-2-official",
        created_at=1761574127,
    ),
    "status_character_in_progress": task(
        "task_01KC0JZCMTMQ70D68XTM56Q5D0",
        "in_progress",
        kind="video",
        progress=45,
        model="sora-2",
        created_at=1765251461,
    ),
    "status_image_completed": task(
        "img_5b8b19afe5c24ab3a92df996f1a33931",
        "completed",
        progress=100,
        model="gemini-3-pro-image-preview",
        created_at=1768381010,
        completed_at=1768381063,
        expires_at=1768467463,
        files=(file("https://files.toapis.com/generated/1768381061_c55c1bbb.jpg"),),
    ),
    "status_image_completed_billing_pending": task(
        "tsk_img_mock_1",
        "completed",
        progress=100,
        model="gpt-image-2-official",
        files=(file("https://files.toapis.com/generated/b.png"),),
        billing=("pending", None, None),
    ),
    "status_image_completed_billing_settled": task(
        "tsk_img_mock_1",
        "completed",
        progress=100,
        model="gpt-image-2-official",
        files=(file("https://files.toapis.com/generated/b.png"),),
        billing=("settled", "27", "0.135"),
    ),
    "status_image_completed_both_urls": task(
        "img_5b8b19afe5c24ab3a92df996f1a33931",
        "completed",
        progress=100,
        model="gemini-3-pro-image-preview",
        created_at=1768381010,
        completed_at=1768381063,
        expires_at=1768467463,
        files=(file("https://files.toapis.com/generated/1768381061_c55c1bbb.jpg"),),
    ),
    "status_image_completed_client_business_id": task(
        "img_5b8b19afe5c24ab3a92df996f1a33931",
        "completed",
        progress=100,
        model="gemini-3-pro-image-preview",
        client_business_id="order_20260428_001",
        created_at=1768381010,
        completed_at=1768381063,
        expires_at=1768467463,
        files=(file("https://files.toapis.com/generated/1768381061_c55c1bbb.jpg"),),
    ),
    "status_image_completed_cn_file_host": task(
        "tsk_img_01M24M98GDAWKNGKBCBZD1E52M",
        "completed",
        progress=100,
        model="gpt-image-2.5-flare",
        created_at=1789009363,
        completed_at=1789009401,
        expires_at=1789095801,
        files=(file("https://files.toapis.cn/images/tsk_img_01M24M98GDAWKNGKBCBZD1E52M/1789009401_559fd5d8.png"),),
    ),
    "status_image_completed_empty_data": task(
        "tsk_img_example",
        "completed",
        progress=100,
        model="gpt-image-2",
        created_at=1788951900,
        completed_at=1788951960,
        expires_at=1789038360,
    ),
    "status_image_completed_expired_with_billing": task("tsk_1", "completed", billing=("settled", "1500", "0.015")),
    "status_image_completed_multi": task(
        "tsk_img_01KSWX9YZJREDY9Q5W361KR8QW",
        "completed",
        progress=100,
        model="gpt-4o-image",
        created_at=1768381010,
        completed_at=1768381063,
        expires_at=1768467463,
        files=(
            file("https://files.toapis.com/images/tsk_img_01KSWX9YZJREDY9Q5W361KR8QW/1768381061_c55c1bb0.png"),
            file("https://files.toapis.com/images/tsk_img_01KSWX9YZJREDY9Q5W361KR8QW/1768381062_c55c1bb1.png"),
        ),
    ),
    "status_image_completed_no_result": task(
        "tsk_img_example",
        "completed",
        progress=100,
        model="gpt-image-2",
        created_at=1788951900,
        completed_at=1788951960,
    ),
    "status_image_completed_usage": task(
        "tsk_1",
        "completed",
        model="gpt-image-2.5-flare",
        files=(file("https://files.toapis.com/generated/1.png"),),
        billing=("settled", "1500", "0.015"),
        usage={
            "input_tokens": 100,
            "output_tokens": 900,
            "total_tokens": 1000,
            "input_tokens_details": {
                "text_tokens": 20,
                "image_tokens": 80,
                "cached_tokens": 30,
                "cached_tokens_details": {"text_tokens": 10, "image_tokens": 20},
            },
            "output_tokens_details": {"text_tokens": 0, "image_tokens": 900},
        },
    ),
    "status_image_failed": task(
        "img_73c450923a9a43e4aabf426e1c681d64",
        "failed",
        progress=0,
        model="gemini-3-pro-image-preview",
        created_at=1768215312,
        error=("generation_failed", "call upstream API failed: upstream returned status 422"),
    ),
    "status_image_failed_billing_refunded": task(
        "tsk_img_fail9",
        "failed",
        progress=0,
        model="doubao-seedream-5-0-pro",
        error=("generation_failed", "call upstream API failed: upstream returned status 422"),
        billing=("refunded", "0", "0"),
    ),
    "status_image_failed_decode": task(
        "tsk_img_01KTH000000000000000000000",
        "failed",
        progress=0,
        model="gpt-image-2",
        created_at=1788000000,
        error=("generation_failed", "call upstream API failed: decode response failed: unexpected end of JSON input"),
    ),
    "status_image_in_progress": task(
        "img_5b8b19afe5c24ab3a92df996f1a33931",
        "in_progress",
        progress=50,
        model="gemini-3-pro-image-preview",
        created_at=1768381010,
    ),
    "status_image_pending": task(
        "tsk_img_example", "pending", progress=0, model="gpt-image-2.5-flare-vip", created_at=1788951900
    ),
    "status_image_queued": task(
        "img_5b8b19afe5c24ab3a92df996f1a33931",
        "queued",
        progress=0,
        model="gemini-3-pro-image-preview",
        created_at=1768381010,
    ),
    "status_image_submitted": task(
        "img_5b8b19afe5c24ab3a92df996f1a33931",
        "submitted",
        progress=0,
        model="gemini-3-pro-image-preview",
        created_at=1768381010,
    ),
    "status_tolerated_cancelled": task(
        "tsk_img_x", "cancelled", progress=0, error=("cancelled", "the gateway gave no reason")
    ),
    "status_tolerated_data0_url": task("asked", "completed", files=(file("https://files.toapis.com/a.png"),)),
    "status_tolerated_error_string": task("tsk_img_x", "failed", error=(None, "generation failed")),
    "status_tolerated_fail_reason": task("tsk_img_x", "failed", error=(None, "upstream error")),
    "status_tolerated_output_objects": task("asked", "completed", files=(file("https://files.toapis.com/a.png"),)),
    "status_tolerated_result_data_strings": task("asked", "completed", files=(file("https://files.toapis.com/a.png"),)),
    "status_tolerated_result_url": task("asked", "completed", files=(file("https://files.toapis.com/a.png"),)),
    "status_video_completed": task(
        "tsk_vid_01KRDG4S50XXXXXXXXXXXXXXX",
        "completed",
        kind="video",
        progress=100,
        model="seedance-2",
        created_at=1778569600,
        completed_at=1778569900,
        expires_at=1778656300,
        files=(
            file(
                "https://files.toapis.com/videos/tsk_vid_01KRDG4S50XXXXXXXXXXXXXXX/1778569899_0a1b2c3d.mp4",
                format="mp4",
            ),
        ),
    ),
    "status_video_completed_client_business_id": task(
        "video_7497f4d5-3a88-44c7-923a-967fa7d941a0",
        "completed",
        kind="video",
        progress=100,
        model="sora-2",
        client_business_id="order_20260428_001",
        created_at=1768380222,
        completed_at=1768380514,
        expires_at=1768466914,
        files=(file("https://files.toapis.com/sora/7712af45-ca35-4a15-b800-f20ea623665b.mp4", format="mp4"),),
    ),
    "status_video_completed_in_images_path": task(
        "tsk_vid_01KVA7VP70M53HZB4C10QCAXB5",
        "completed",
        kind="video",
        progress=100,
        model="seedance-2",
        created_at=1781681500,
        completed_at=1781681675,
        expires_at=1781768075,
        files=(
            file(
                "https://files.toapis.com/images/tsk_vid_01KVA7VP70M53HZB4C10QCAXB5/1781681675_38dcbd71.mp4",
                format="mp4",
            ),
        ),
    ),
    "status_video_completed_last_frame_usage": task(
        "tsk_vid_01KRDG4S50XXXXXXXXXXXXXXX",
        "completed",
        kind="video",
        progress=100,
        model="seedance-2",
        created_at=1778569600,
        completed_at=1778569900,
        expires_at=1778656300,
        files=(
            file(
                "https://files.toapis.com/videos/tsk_vid_01KRDG4S50XXXXXXXXXXXXXXX/1778569899_0a1b2c3d.mp4",
                format="mp4",
                last_frame_url="https://files.toapis.com/images/tsk_vid_01KRDG4S50XXXXXXXXXXXXXXX/1778569899_0a1b2c3e.png",
            ),
        ),
        usage={"tool_usage": {"web_search": 1}},
    ),
    "status_video_completed_live_minimal": task(
        "tsk_vid_01KTKW19EFCCDSF5H0EXEJ0X0J",
        "completed",
        kind="video",
        files=(
            file(
                "https://files.toapis.com/videos/tsk_vid_01KTKW19EFCCDSF5H0EXEJ0X0J/1780931198_73743d66.mp4",
                format="mp4",
            ),
        ),
    ),
    "status_video_completed_metadata_url": task(
        "task_x",
        "completed",
        kind="video",
        progress=100,
        model="seedance-2",
        files=(file("https://files.toapis.com/videos/x.mp4"),),
    ),
    "status_video_failed": task(
        "video_7497f4d5-3a88-44c7-923a-967fa7d941a0",
        "failed",
        kind="video",
        progress=0,
        model="sora-2",
        created_at=1768380222,
        error=("generation_failed", "Generation failed: Content violates the content policy"),
    ),
    "status_video_failed_progress_100": task(
        "vid_01KABCDEF1234567890",
        "failed",
        kind="video",
        progress=100,
        model="viduq3-ad",
        created_at=1784169600,
        completed_at=1784169620,
        error=("InvalidParameter", "Missing required field 'subjects' in request body"),
    ),
    "status_video_in_progress": task(
        "video_7497f4d5-3a88-44c7-923a-967fa7d941a0",
        "in_progress",
        kind="video",
        progress=65,
        model="sora-2",
        created_at=1768380222,
    ),
    "status_video_queued": task(
        "video_7497f4d5-3a88-44c7-923a-967fa7d941a0",
        "queued",
        kind="video",
        progress=0,
        model="sora-2",
        created_at=1768380222,
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recorded_task_decodes_to_its_value(name):
    """Each sample of a task becomes exactly the expected value, and keeps its body as raw."""
    reply = HttpReply(200, {}, (SAMPLES / f"{name}.json").read_bytes())
    expected = EXPECTED[name]

    seen = task_from(reply, kind=expected.kind, asked="asked" if name.startswith("status_") else None)

    assert expected == seen
    assert seen.raw


def test_the_table_is_complete():
    """No sample of a task is left out but the one that holds no task."""
    names = {path.stem for pattern in ("create_*", "status_*") for path in SAMPLES.glob(f"{pattern}.json")}

    assert names - {"status_tolerated_sync_b64"} == set(EXPECTED)
