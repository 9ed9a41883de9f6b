"""Catalogues as JSON."""

import json
from decimal import Decimal

import pytest

from toapis_async.errors import ConfigurationError
from toapis_async.wire.catalogue import catalogue_from_json


def test_entry_is_read_by_field_name():
    """The file has the names of the values."""
    (model,) = catalogue_from_json(
        json.dumps(
            [
                {
                    "id": "m",
                    "kind": "video",
                    "sizes": ["16:9"],
                    "resolution_words": {"720P": "std"},
                    "references": {"images": {"place": "image", "form": "one string", "max": 1}},
                    "durations": {"low": 2, "high": 5, "automatic": [0]},
                    "parameters": [{"place": "metadata.seed", "name": "seed", "kind": "integer", "low": -1}],
                    "together": [{"when": {"audio": [True]}, "then": {"duration": [5]}, "why": "so it is"}],
                    "price": {"per_second": "0.010"},
                }
            ]
        )
    )

    assert model.references.images.form == "one string"
    assert model.durations.automatic == (0,)
    assert (model.parameters[0].name, model.parameters[0].low) == ("seed", -1)
    assert model.together[0].when == {"audio": (True,)}
    assert model.price.per_second == Decimal("0.010")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[", "not JSON"),
        (b"\xff", "not JSON"),
        ("{}", "list of models"),
        ("[5]", "entry 1: not an object"),
        ('[{"kind": "image"}]', "entry 1: field 'id' is missing"),
        ('[{"id": "m"}]', "m: field 'kind' is missing"),
        ('[{"id": "m", "kind": "sound"}]', "kind"),
        ('[{"id": "m", "kind": "image", "resolution": []}]', "did you mean 'resolutions'"),
        ('[{"id": "m", "kind": "image", "n_max": "4"}]', "'4' is not a whole number in n_max"),
        ('[{"id": "m", "kind": "image", "n_max": true}]', "n_max"),
        ('[{"id": "m", "kind": "image", "sizes": [169]}]', "169 is not text in sizes[0]"),
        ('[{"id": "m", "kind": "image", "n_sent": 1}]', "n_sent"),
        ('[{"id": "m", "kind": "image", "defaults": {"n": []}}]', "defaults"),
        (
            '[{"id": "m", "kind": "image", "references": {"images": {"place": "a", "form": "b"}}}]',
            "references.images.form",
        ),
        ('[{"id": "m", "kind": "image", "price": {"per_output": 0.1}}]', "in quotes"),
        ('[{"id": "m", "kind": "image", "price": {"per_output": "much"}}]', "price.per_output"),
        ('[{"id": "m", "kind": "image", "price": {"per_output": "NaN"}}]', "price.per_output"),
        ('[{"id": "m", "kind": "image", "price": {"per_output": "-1"}}]', "price.per_output"),
        ('[{"id": "m", "kind": "image"}, {"id": "m", "kind": "image"}]', "'m'"),
        (
            '[{"id": "a", "kind": "image", "aliases": ["x"]}, {"id": "b", "kind": "image", "aliases": ["X"]}]',
            "names both",
        ),
    ],
)
def test_broken_catalogue_is_told_where(text, words):
    """A user's own file gets an error with its name, the entry and the field."""
    with pytest.raises(ConfigurationError) as caught:
        catalogue_from_json(text, name="mine.json")

    assert words in caught.value.message
    assert caught.value.message.startswith("mine.json")
    assert caught.value.hint


def test_all_that_is_wrong_is_told_at_once():
    """Every wrong entry is named."""
    with pytest.raises(ConfigurationError) as caught:
        catalogue_from_json('[{"id": "a", "kind": 1}, {"id": "b", "kind": "image", "note": 2}]')

    assert "a: " in caught.value.message
    assert "b: " in caught.value.message
