"""Rules about two fields at once."""

import pytest

from toapis_async.policy.requests.validation import violations, wrong_action
from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue
from toapis_async.values.requests import GenerationRequest, ImageRequest, VideoRequest

CATALOGUE = packaged_catalogue()
A, B = "https://a.example/1", "https://a.example/2"


def video(model: str, **fields: object) -> GenerationRequest:
    return VideoRequest("x", model=model, **fields)


def image(model: str, **fields: object) -> GenerationRequest:
    return ImageRequest("x", model=model, **fields)


@pytest.mark.parametrize(
    ("request_", "word"),
    [
        (video("MiniMax-Hailuo-2.3", resolution="1080p", duration=10), "duration"),
        (video("MiniMax-Hailuo-02", resolution="512P", first_frame=A, last_frame=B), "resolution"),
        (video("kling-v2-6", audio=True, resolution="720P"), "resolution"),
        (video("kling-v3-omni", audio=True, reference_videos=[A]), "reference_videos"),
        (video("kling-v3-omni", last_frame=A), "first_frame"),
        (video("veo3.1-fast", resolution="4k", extra={"metadata": {"enable_gif": True}}), "resolution"),
        (video("seedance-2", reference_audios=[A]), "reference_images"),
        (video("seedance-2", first_frame=A, reference_images=[B]), "mixed"),
        (video("seedance-2-5", extra={"video_operation": "extend"}), "reference_videos"),
        (video("MiniMax-H3", size="adaptive"), "size"),
        (video("gemini-omni-flash-preview-official", reference_images=[A], reference_videos=[B]), "reference_images"),
        (video("wan2.6", first_frame=A, reference_videos=[B]), "first_frame"),
        (video("grok-video-1.5"), "reference_images"),
        (video("doubao-seedance-1-0-pro-fast", last_frame=A), "last_frame"),
        (video("gemini-omni-flash", first_frame=A), "first_frame"),
        (image("gpt-4o-image", mask=A), "reference_images"),
        (image("grok-imagine-1.0-edit"), "reference_images"),
        (image("flux-kontext-pro", size="match_input_image"), "reference_images"),
        (image("doubao-seedream-5-0-pro", size="16:9", extra={"layer_decomposition": True}), "1K, 2K"),
        (image("gemini-3.1-flash-image-preview", extra={"metadata": {"google_image_search": True}}), "google_search"),
    ],
)
def test_two_fields_that_do_not_go_together(request_, word):
    """The pages' rules about two fields are told before anything is sent."""
    found = violations(request_, CATALOGUE)

    assert any(word in sentence for sentence in found), found


def test_action_of_another_model_is_refused():
    """Not every video can be remixed or extended; the sentence lists the models whose videos can."""
    assert wrong_action("remix", video("sora-2-official"), CATALOGUE) == ()
    assert wrong_action("extend", video("GROK-VIDEO-1.0", size="16:9"), CATALOGUE) == ()
    assert wrong_action("remix", video("future-2", duration=5), CATALOGUE) == ()
    (sentence,) = wrong_action("extend", video("viduq3"), CATALOGUE)
    assert "grok-video-1.0" in sentence


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (video("grok-video-1.0", reference_images=[A]), "reference_images"),
        (video("grok-video-1.0", first_frame=A), "first_frame"),
        (video("sora-2", reference_videos=[A]), "reference_videos"),
        (video("sora-2-official", duration=8), "duration"),
        (video("grok-video-1.0", resolution="480p"), "resolution"),
    ],
)
def test_what_a_follow_up_does_not_take_is_refused(request_, field):
    """A remix has fewer fields than a new video; what it has not would be ignored, and the task paid for."""
    (sentence,) = wrong_action("remix", request_, CATALOGUE)

    assert field in sentence
