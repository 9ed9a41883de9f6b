"""Types of a request's fields: nothing about them is certain."""

import attrs
import pytest

from toapis_async import ImageRequest
from toapis_async.policy.requests.request_types import wrong_types

WRONG = {
    "prompt": 1,
    "model": None,
    "size": 16,
    "resolution": b"2K",
    "n": "2",
    "reference_images": [1],
    "mask": 1.5,
    "quality": 1,
    "background": True,
    "output_format": 1,
    "output_compression": 1.5,
    "temperature": "hot",
    "top_p": float("nan"),
    "seed": "7",
    "edit": "yes",
    "client_business_id": 1,
    "callback_url": 1,
    "id": 7,
    "extra": "seed=1",
    "label": 7,
    "namespace": ["ann"],
    "priority": "soon",
}


def test_a_usual_request_has_no_wrong_types():
    """Texts where texts belong, and nothing else."""
    assert wrong_types(ImageRequest("fox", size="1:1", resolution="2K", id="one")) == []


def test_every_field_is_tried():
    """A field that is added is added here; only the caller's own object may be anything."""
    assert {field.name for field in attrs.fields(ImageRequest)} == {*WRONG, "context"}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_wrong_type_is_named(name):
    """Whatever field is wrong, in an otherwise usual request, is named first."""
    request = ImageRequest("fox")
    object.__setattr__(request, name, WRONG[name])
    found = wrong_types(request)
    assert len(found) == 1
    assert found[0].startswith(name)
