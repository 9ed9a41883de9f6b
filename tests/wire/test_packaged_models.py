"""The catalogue that ships with the package is right, since programs do not look."""

import json
import pickle
from decimal import Decimal
from pathlib import Path

import toapis_async
from toapis_async.wire.catalogue import catalogue_from_json
from toapis_async.wire.packaged_models import catalogue_from_packaged

PACKAGED = (Path(toapis_async.__file__).parent / "data" / "models.json").read_bytes()

# Every sort of field that an entry can have, whether an entry that ships has it or not.
EVERY_FIELD = {
    "id": "m",
    "kind": "video",
    "aliases": ["n"],
    "pixels": {"separator": "x", "step": 16},
    "sizes_with": {"layers": ["auto", "1:1"]},
    "resolution_words": {"720P": "std"},
    "references": {
        **{
            place: {"place": place, "roles": ["a"], "words": {"a": "b"}, "max": 1}
            for place in ("images", "image_roles", "first_frame", "last_frame", "videos", "audios")
        },
        "modes": [{"given": ["first_frame"], "set": {"mode": "frames"}}, {"set": {"mode": "text"}}],
    },
    "n_values": [1, 2],
    "max_ratio": 2.5,
    "durations": {"values": [5], "automatic": [0]},
    "parameters": [{"place": "metadata.style", "kind": "enum", "choices": ["a", "b"], "words": {"a": "A"}}],
    "together": [
        {
            "when": {"audio": [True]},
            "then": {"duration": [5, 10]},
            "needs": ["seed"],
            "never": {"n": [2]},
            "why": "so it is",
        }
    ],
    "defaults": {"n": 1, "size": "1:1"},
    "edits": {"form": "json"},
    "actions": {"remix": ["size"]},
    "pixel_table": {"1:1": {"1k": "8x8"}},
    "price": {
        "per_output": "0.010",
        "by_resolution": {"1k": "0.1"},
        "by_size_and_quality": {"1:1": {"high": "0.2"}},
        "per_second_silent_by_resolution": {"720p": "0.1"},
    },
    "conflicts": ["one"],
}


def test_what_ships_is_right_and_read_alike():
    """The careful reader finds no fault with what ships, and makes the same of it."""
    assert catalogue_from_json(PACKAGED) == catalogue_from_packaged(PACKAGED)


def test_every_field_is_read_alike():
    """Both readers make the same of each field, down to the types inside."""
    data = json.dumps([EVERY_FIELD]).encode()

    assert repr(catalogue_from_json(data)) == repr(catalogue_from_packaged(data))


def test_prices_are_exact():
    """A price is a decimal with the digits of the file."""
    (model,) = catalogue_from_packaged(json.dumps([EVERY_FIELD]).encode())

    assert (Decimal("0.010"), "0.010") == (model.price.per_output, str(model.price.per_output))


def test_it_can_be_sent_to_another_process():
    """It pickles, and still finds its models."""
    catalogue = catalogue_from_packaged(PACKAGED)

    again = pickle.loads(pickle.dumps(catalogue))

    assert catalogue == again
    assert again.find("nano-banana") == catalogue.find("nano-banana")
