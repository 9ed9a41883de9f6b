"""The rules of the gateway's pages: what each accepts and what it refuses, by page.

``None`` is accepted; a word is of the sentence that refuses.
"""

import pytest

from toapis_async.policy.requests.validation import violations
from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue
from toapis_async.values.requests import GenerationRequest, ImageRequest, RoleReference, VideoRequest

CATALOGUE = packaged_catalogue()
A, B, C = (f"https://a.example/{name}.png" for name in "abc")
CLIP, SONG = "https://a.example/clip.mp4", "https://a.example/song.mp3"
FIRST, LAST = (RoleReference(source=A, role=role) for role in ("first_frame", "last_frame"))


def video(model: str, **fields: object) -> GenerationRequest:
    return VideoRequest(fields.pop("prompt", "x"), model=model, **fields)


def image(model: str, **fields: object) -> GenerationRequest:
    return ImageRequest("x", model=model, **fields)


def meta(**fields: object) -> dict:
    return {"metadata": fields}


RULES = {
    "images/gpt-image-2/edits.mdx": [
        (image("gpt-image-2", quality="high", reference_images=[A]), None),
        (image("gpt-image-2", mask=B, reference_images=[A] * 16, output_format="jpeg"), None),
        (image("gpt-image-2", quality="high"), "reference_images"),
        (image("gpt-image-2", mask=B), "reference_images"),
        (image("gpt-image-2", reference_images=[A] * 17), "at most 16"),
    ],
    "images/gpt-image-2.5/generation.mdx": [
        (image("gpt-image-2.5-flare", quality="xhigh"), None),
        (image("gpt-image-2.5-sunburst", quality="low"), None),
        (image("gpt-image-2.5-flare", quality="ultra"), "quality"),
    ],
    "images/seedream-4.0/generation.mdx": [
        (image("doubao-seedream-4-0", extra=meta(optimize_prompt_options="standard")), None),
        (image("doubao-seedream-4-0", extra=meta(optimize_prompt_options={"mode": "fast"})), None),
        (image("doubao-seedream-4-0", extra=meta(optimize_prompt_options="slow")), "optimize_prompt_options"),
        (image("doubao-seedream-4-5", extra=meta(optimize_prompt_options="standard")), "optimize_prompt_options"),
    ],
    "videos/doubao-seedance/generation.mdx": [
        (video("doubao-seedance-1-0-pro-fast", reference_images=[A]), None),
        (video("doubao-seedance-1-0-pro-fast", first_frame=A, reference_images=[B]), None),
        (video("doubao-seedance-1-0-pro-fast", reference_images=[A, B]), "reference"),
        (video("doubao-seedance-1-0-pro-quality", reference_images=[A, B, C]), "reference"),
        (video("doubao-seedance-1-0-pro-quality", reference_images=[FIRST, FIRST]), "first_frame: 2"),
        (video("doubao-seedance-1-0-pro-quality", first_frame=B, reference_images=[FIRST]), "first_frame: 2"),
        (video("doubao-seedance-1-0-pro-quality", first_frame=A, resolution="1080p"), None),
        (video("doubao-seedance-1-0-pro-quality", reference_images=[A], resolution="1080p"), "resolution"),
        (video("doubao-seedance-1-0-pro-fast", first_frame=A, last_frame=B), "last_frame"),
        (video("doubao-seedance-1-0-pro-quality", last_frame=B), "first_frame"),
    ],
    "videos/doubao-seedance-1-5/generation.mdx": [
        (video("doubao-seedance-1-5-pro", reference_images=[FIRST, LAST]), None),
        (video("doubao-seedance-1-5-pro", first_frame=A, reference_images=[LAST]), None),
        (video("doubao-seedance-1-5-pro", first_frame=A, reference_images=[B]), "takes none"),
        (video("doubao-seedance-1-5-pro", reference_images=[A]), "first_frame"),
        (video("doubao-seedance-1-5-pro", reference_images=[RoleReference(source=A, role="reference")]), "role"),
    ],
    "videos/seedance-2/generation.mdx": [
        (video("seedance-2", reference_images=[FIRST]), None),
        (video("seedance-2", reference_images=[FIRST, LAST]), None),
        (video("seedance-2", reference_images=[FIRST, B]), "mixed"),
        (video("seedance-2", reference_images=[LAST]), "first_frame"),
        (video("seedance-2-fast", reference_audios=[SONG], first_frame=A), "reference_audios"),
        (video("seedance-2-mini", duration=0), "duration"),
        (video("seedance-2-mini", reference_videos=[CLIP] * 4, reference_images=[A]), "at most 3"),
        (video("seedance-2", prompt="", reference_images=[A]), None),
        (video("seedance-2", prompt=""), "prompt"),
    ],
    "videos/seedance-2-5/generation.mdx": [
        (video("seedance-2-5", resolution="1080p"), None),
        (video("seedance-2-5", reference_audios=[SONG]), None),
        (video("seedance-2-5", reference_videos=[CLIP], duration=8, extra={"video_operation": "extend"}), None),
        (video("seedance-2-5", reference_videos=[CLIP], extra={"video_operation": "extend"}), "duration"),
        (
            video("seedance-2-5", reference_videos=[CLIP], duration=-1, extra={"video_operation": "extend"}),
            "duration -1",
        ),
        (video("seedance-2-5", reference_videos=[CLIP], size="16:9", extra={"video_operation": "edit"}), "adaptive"),
        (video("seedance-2-5", first_frame=A, size="16:9"), "adaptive"),
        (video("seedance-2-5", first_frame=A, reference_videos=[CLIP]), "reference_videos"),
    ],
    "videos/gemini-omni-flash/generation.mdx": [
        (video("gemini-omni-flash", resolution="1080p"), None),
        (video("gemini-omni-flash", resolution="1080p", size="16:9"), None),
        (video("gemini-omni-flash", resolution="720p", size="9:16"), None),
        (video("gemini-omni-flash", resolution="1080P", size="9:16"), "landscape"),
    ],
    "videos/gemini-omni-flash-preview-official/generation.mdx": [
        (video("gemini-omni-flash-preview-official", extra=meta(task="edit"), reference_videos=[CLIP]), None),
        (video("gemini-omni-flash-preview-official", extra=meta(task="paint")), "task"),
    ],
    "videos/happyhorse/generation.mdx": [
        (video("happyhorse-1.1", reference_images=[A] * 9), None),
        (video("happyhorse-1.1", reference_images=[A] * 10), "at most 9"),
        (video("happyhorse-1.1", reference_videos=[CLIP], reference_images=[A] * 5), None),
        (video("happyhorse-1.1", reference_videos=[CLIP], reference_images=[A] * 6), "at most 5"),
        (video("happyhorse-1.1", first_frame=A, reference_images=[B]), "reference_images"),
        (video("happyhorse-1.1", first_frame=A, reference_videos=[CLIP]), "reference_videos"),
        (video("happyhorse-1.1", reference_images=[A], extra={"action": "text-to-video"}), "reference_images"),
        (video("happyhorse-1.1", extra={"action": "image-to-video"}), "first_frame"),
        (video("happyhorse-1.1", prompt="", first_frame=A), None),
        (video("happyhorse-1.1", prompt="", reference_images=[A]), "prompt"),
        (video("happyhorse-1.1", keep_original_sound=True), "reference_videos"),
    ],
    "videos/kling-2-6/generation.mdx": [
        (video("kling-v2-6", resolution="pro", audio=True), None),
        (video("kling-v2-6", resolution="1080p", audio=True), None),
        (video("kling-v2-6", extra={"mode": "pro"}, audio=True), None),
        (video("kling-v2-6", resolution="std", audio=True), "resolution"),
        (video("kling-v2-6", audio=True), "resolution"),
        (video("kling-v2-6", audio=False), None),
        (video("kling-v2-6", last_frame=A), "first_frame"),
    ],
    "videos/kling-v3-omni/generation.mdx": [
        (video("kling-v3-omni", reference_videos=[CLIP], keep_original_sound=True), None),
        (video("kling-v3-omni", keep_original_sound=True), "reference_videos"),
        (video("kling-video-o1", reference_images=[RoleReference(source=A, role="end_frame")]), "first_frame"),
    ],
    "videos/kling-3.0-turbo/generation.mdx": [
        (video("kling-3.0-turbo", first_frame=A), None),
        (video("kling-3.0-turbo", reference_images=[A, B]), "at most 1"),
        (video("kling-3.0-turbo", first_frame=A, last_frame=B), "last_frame"),
    ],
    "videos/minimax-h3/generation.mdx": [
        (video("MiniMax-H3", reference_images=[A] * 6, reference_videos=[CLIP] * 3, reference_audios=[SONG] * 3), None),
        (
            video("MiniMax-H3", reference_images=[A] * 7, reference_videos=[CLIP] * 3, reference_audios=[SONG] * 3),
            "at most 12",
        ),
        (video("MiniMax-H3", reference_images=[FIRST, B]), "mixed"),
    ],
    "videos/minimax-hailuo-2.3/generation.mdx": [
        (video("MiniMax-Hailuo-2.3", prompt="", first_frame=A), None),
        (video("MiniMax-Hailuo-2.3-Fast", prompt="x"), "first_frame"),
        (video("MiniMax-Hailuo-02", first_frame=A, reference_images=[B]), "reference_images"),
    ],
    "videos/sora2/create-persona.mdx": [
        (video("sora-2", prompt="", reference_videos=[CLIP], extra={"timestamps": "1,3"}), None),
        (video("sora-2-pro", prompt="", extra={"from_task": "task_1", "timestamps": "0.5,1.5"}), None),
        (video("sora-2-vip", prompt="", extra={"url": CLIP, "timestamps": "1,4"}), None),
        (video("sora-2", prompt="", reference_videos=[CLIP]), "timestamps"),
        (video("sora-2", prompt="", extra={"timestamps": "1,3"}), "reference_videos"),
        (video("sora-2", prompt="", reference_videos=[CLIP], extra={"timestamps": "1,5"}), "1 to 3 seconds"),
        (video("sora-2", prompt="", reference_videos=[CLIP], extra={"timestamps": "3"}), "two times"),
        (video("sora-2", prompt=""), "prompt"),
    ],
    "videos/sora2/generation.mdx": [
        (video("sora-2-vvip", extra=meta(character_timestamps="1,3")), None),
        (video("sora-2-vvip", extra=meta(character_timestamps="1,4")), "character_timestamps"),
    ],
    "videos/sora-2-official/generation.mdx": [
        (video("sora-2-official", reference_images=[A, B]), "at most 1"),
    ],
    "videos/veo3/generation.mdx": [
        (video("veo3.1-fast", reference_images=[A, B]), None),
        (video("veo3.1-quality", first_frame=A, last_frame=B), None),
        (video("veo3.1-quality", reference_images=[A, B, C]), "reference_images"),
        (video("veo3.1-quality", reference_images=[A]), "first_frame"),
        (video("veo3.1-quality", extra=meta(generation_type="reference")), "reference mode"),
        (video("veo3.1-fast", first_frame=A, reference_images=[B]), "mixed"),
    ],
    "videos/veo3-official/generation.mdx": [
        (video("Veo3.1-fast-official", reference_images=[A, B, C]), None),
        (video("Veo3.1-fast-official", reference_images=[A] * 4), "at most 3"),
        (video("Veo3.1-fast-official", first_frame=A, reference_images=[B]), "reference_images"),
        (video("Veo3.1-fast-official", last_frame=A), "first_frame"),
        (video("Veo3.1-lite-official", resolution="1080p"), "720p"),
    ],
    "videos/viduq3/generation.mdx": [
        (video("viduq3-pro", first_frame=A, last_frame=B), None),
        (video("viduq3-pro", reference_images=[A, B]), "at most 1"),
        (video("viduq3-turbo", first_frame=A, reference_images=[B]), "last frame"),
        (video("viduq3-pro", extra=meta(subjects=[{"name": "cat", "images": [A]}])), "viduq3"),
        (video("viduq3", extra=meta(subjects=[{"name": "cat", "images": [A]}] * 8)), "at most 7"),
    ],
    "videos/wan2.6/generation.mdx": [
        (video("wan2.6", size="16:9", reference_videos=[CLIP]), None),
        (video("wan2.6", size="16:9", first_frame=A), "size"),
        (video("wan2.6", reference_images=[A], extra={"shot_type": "multi"}), "shot_type"),
        (video("wan2.6", audio=True), None),
        (video("wan2.6", audio=False), "sound"),
    ],
    "videos/wan3.0/generation.mdx": [
        (video("wan3.0-video", first_frame=A), None),
        (video("wan3.0-video", reference_images=[FIRST, LAST]), None),
        (video("wan3.0-video", reference_images=[A]), None),
        (video("wan3.0-video", first_frame=A, reference_images=[B]), "mixed"),
    ],
}
CASES = [(page, *case) for page, cases in RULES.items() for case in cases]


@pytest.mark.parametrize(("page", "request_", "word"), CASES, ids=lambda one: one if isinstance(one, str) else "")
def test_a_rule_of_a_page(page, request_, word):
    """What the page allows passes; what it forbids, or would ignore, is told before anything is sent."""
    found = violations(request_, CATALOGUE)

    if word is None:
        assert found == ()
    else:
        assert any(word in sentence for sentence in found), found
