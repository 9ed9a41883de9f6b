"""The gateway's list of models, joined with the catalogue."""

import json
from pathlib import Path

import aiohttp
import pytest

from toapis_async import AsyncToAPIs

SAMPLE = Path(__file__).parents[1] / "samples" / "models_list_image.json"


async def test_listed_models_carry_what_the_catalogue_knows(mocked_calls):
    """A known id comes with its rules, an unknown one without."""
    document = json.loads(SAMPLE.read_text("utf-8"))
    document["data"].append({"id": "brand-new-model", "object": "model"})
    mocked_calls.get("https://gateway.example/v1/models?type=image", payload=document)
    async with aiohttp.ClientSession() as session:
        client = AsyncToAPIs(api_key="sk-1", base_url="https://gateway.example", http_session=session)
        models = {model.id: model for model in await client.models.list()}
        await client.aclose()
    assert models["gemini-3-pro-image-preview-official"].details.id == "gemini-3-pro-image-preview-official"
    assert models["brand-new-model"].details is None
    assert len(document["data"]) == len(models)


@pytest.mark.parametrize("type_", ["image", "video", "all"])
async def test_every_type_can_be_listed(live, type_):
    """The simulator lists models of every type that may be asked for."""
    async with live() as (_, client):
        models = await client.models.list(type=type_)
    assert models
    kinds = {model.details.kind for model in models if model.details}
    assert kinds <= ({"image", "video"} if type_ == "all" else {type_})
