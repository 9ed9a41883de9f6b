"""Each example of the gateway's documentation, rebuilt as a wish, is sent as the page has it.

The table holds the bodies with prompts of our own. What is sent besides is a default that the page's example leaves
out; what is renamed has two names on the page.
"""

import json
from pathlib import Path

import pytest

from toapis_async.policy.requests.validation import violations, wrong_action
from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue
from toapis_async.values.requests import GenerationRequest, ImageRequest, RoleReference, VideoRequest
from toapis_async.wire.encoding import extend, remix, submission

EXAMPLES = json.loads((Path(__file__).parent / "data" / "page_bodies.json").read_text("utf-8"))
CATALOGUE = packaged_catalogue()
FOLLOW_UPS = {"remix": remix, "extend": extend}


def wished(example: dict) -> GenerationRequest:
    fields = dict(example["wish"], model=example["model"])
    for name in ("reference_images", "reference_videos", "reference_audios"):
        if name in fields:
            fields[name] = [RoleReference(**one) if isinstance(one, dict) else one for one in fields[name]]
    return (VideoRequest if example["path"].startswith("/videos") else ImageRequest)(**fields)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: f"{one['model']}-{one['page'].split('/')[1]}")
def test_the_page_s_own_example_passes_and_is_sent_as_it_stands(example):
    """Nobody who copies an example of the documentation is refused, or gets something else."""
    request = wished(example)
    reference = request.client_business_id or "b"

    if action := example.get("action"):
        sent = FOLLOW_UPS[action]("v1", request, catalogue=CATALOGUE, client_business_id=reference)
        assert wrong_action(action, request, CATALOGUE) == ()
    else:
        sent = submission(request, catalogue=CATALOGUE, client_business_id=reference)

    expected = {**example["body"], **example.get("sent_besides", {}), "client_business_id": reference}
    for theirs, ours in example.get("renamed", {}).items():
        expected[ours] = expected.pop(theirs)
    assert violations(request, CATALOGUE) == ()
    assert (example["path"], expected) == (sent.path, json.loads(sent.body))


def test_every_page_with_an_example_is_in_the_table():
    """A page for every family that has one; the models without examples are known by other sources."""
    assert len({example["page"].split("/", 2)[2] for example in EXAMPLES}) == 55
