"""Requests as frozen values."""

from collections import deque

import pytest

from toapis_async import ImageRequest, VideoRequest


@pytest.mark.parametrize("given", [["a.png", "b.png"], ("a.png", "b.png"), deque(["a.png", "b.png"])], ids=repr)
def test_any_sequence_of_references_is_frozen(given):
    """References come in any sequence, and a later change of it does not reach the request."""
    image = ImageRequest("a fox", reference_images=given)
    video = VideoRequest("a fox", model="m", reference_images=given, reference_videos=given, reference_audios=given)
    for kept in (image.reference_images, video.reference_images, video.reference_videos, video.reference_audios):
        assert kept == ("a.png", "b.png")


@pytest.mark.parametrize("given", ["a.png", b"\x89PNG", 5, None], ids=repr)
def test_what_is_no_sequence_of_references_is_left_for_validation(given):
    """A single path, bytes or nonsense is not taken apart letter by letter."""
    assert ImageRequest("a fox", reference_images=given).reference_images == given


def test_extra_fields_are_copied():
    """A later change of the mapping does not reach the request."""
    extra = {"style": "vivid"}
    request = ImageRequest("a fox", extra=extra)
    extra["style"] = "plain"
    assert request.extra == {"style": "vivid"}
