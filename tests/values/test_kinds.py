"""The table of kinds, and what it reads off their requests."""

from typing import get_args

import attrs
import pytest

from toapis_async.async_client import AsyncToAPIs
from toapis_async.values.kinds import KINDS, REQUESTS, UPLOADED_AS, fields_of_form, kind_of
from toapis_async.values.requests import GenerationRequest, ImageRequest, Kind, VideoRequest

ALL = pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)


def test_every_kind_and_every_request_has_a_row():
    """No kind is forgotten where they are listed for the type checker."""
    assert (set(get_args(Kind)), set(get_args(GenerationRequest))) == (set(KINDS), set(REQUESTS))


def test_a_request_has_its_row_and_a_subclass_its_parent_s():
    """Whoever extends a request makes no new kind."""

    @attrs.frozen
    class Mine(ImageRequest):
        note: str = attrs.field(default="", kw_only=True)

    rows = [kind_of(one).name for one in (ImageRequest("x"), VideoRequest("x", model="m"), Mine("x"))]
    assert rows == ["image", "video", "image"]


@ALL
def test_every_field_has_a_form(kind):
    """Each field of a request is checked, read from tables and encoded by what it holds."""
    assert list(kind.forms) == [field.name for field in attrs.fields(kind.request)]
    assert (kind.forms["prompt"], kind.forms["extra"]) == ("text", "mapping")
    assert "prompt" not in kind.optional


def test_forms_are_read_off_the_annotations():
    """A field's annotation says all."""
    image, video = KINDS["image"], KINDS["video"]

    assert {"n": "whole number", "mask": "reference", "edit": "switch", "temperature": "number"}.items() <= (
        image.forms.items()
    )
    assert (image.with_roles, "reference_images" in video.with_roles) == (frozenset(), True)
    assert (image.has_default_model, video.has_default_model) == (True, False)
    assert (image.with_article, video.with_article) == ("an image", "a video")


def test_what_is_carried_and_not_sent_is_no_control():
    """A caller's own object, label, namespace and priority never reach the gateway."""

    @attrs.frozen
    class Mine(VideoRequest):
        context: object = attrs.field(default=None, kw_only=True)
        label: str | None = attrs.field(default=None, kw_only=True)
        namespace: str | None = attrs.field(default=None, kw_only=True)
        priority: int = attrs.field(default=1, kw_only=True)

    mine = attrs.evolve(KINDS["video"], request=Mine)
    assert (mine.forms["context"], mine.controls) == ("anything", KINDS["video"].controls)


def test_controls_are_what_only_some_models_have():
    """Neither what every request has, nor what it shows."""
    assert KINDS["video"].controls == ("audio", "keep_original_sound", "seed")
    assert KINDS["image"].controls[:2] == ("mask", "quality")


def test_uploads_are_references():
    """Only references are uploaded."""
    assert set(UPLOADED_AS) < fields_of_form("reference", "references")


@ALL
async def test_the_client_has_the_verbs_of_every_kind(kind):
    """Each kind is made, looked at and waited for through an attribute of the client."""
    async with AsyncToAPIs(api_key="sk-x", base_url="http://127.0.0.1:9") as client:
        assert client.verbs_of(kind.name) is getattr(client, kind.verbs)
        assert client.verbs_of(kind.name).kind == kind.name
