"""The catalogue that ships with the package."""

import re
import subprocess
import sys
from decimal import Decimal

import pytest

from toapis_async.errors import ConfigurationError
from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue


def test_it_has_every_model():
    """39 image models and 46 video models, each with a source and a date."""
    kinds = [model.kind for model in packaged_catalogue()]

    assert (kinds.count("image"), kinds.count("video")) == (39, 46)
    assert all(model.source and model.source_date and model.vendor and model.family for model in packaged_catalogue())


def test_it_is_read_once_and_not_at_import():
    """Importing the package costs no file."""
    code = (
        "import sys; from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue as p;"
        "assert p.cache_info().currsize == 0 and 'toapis_async.data' not in sys.modules; assert p() is p()"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_reading_it_loads_no_checker():
    """What only checks a user's own catalogue is not loaded for the one that ships."""
    code = (
        "import sys; from toapis_async import packaged_catalogue as p;"
        "assert p().find('nano-banana') and 'cattrs' not in sys.modules"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize(
    "data",
    [
        b"[",
        b"5",
        b"[5]",
        b'[{"kind": "image"}]',
        b'[{"id": "m", "kind": "image", "taste": "sweet"}]',
        b'[{"id": "m", "kind": "image", "price": {"per_output": "much"}}]',
    ],
)
def test_a_damaged_one_is_told(monkeypatch, data):
    """Whoever edits it by hand hears where it is wrong, as for a file of one's own."""
    monkeypatch.setattr("toapis_async.storage.inputs.packaged_catalogue.get_data", lambda *_: data)

    with pytest.raises(ConfigurationError, match="the catalogue"):
        packaged_catalogue.__wrapped__()


def test_defaults_are_among_what_is_allowed():
    """An entry does not contradict itself."""
    for model in packaged_catalogue():
        assert model.defaults.get("resolution") in {None, *(model.resolutions or ())}, model.id
        assert model.pixels or model.defaults.get("size") in {None, *(model.sizes or ())}, model.id
        for parameter in model.parameters:
            if parameter.kind == "enum":
                assert parameter.default in {None, *parameter.choices}, (model.id, parameter.name)
                assert parameter.choices, (model.id, parameter.name)
            # An object may list what stands in it, such as the modes of an option.
            assert not parameter.choices or parameter.kind in {"enum", "object"}, (model.id, parameter.name)
        for size, pixels in model.pixel_table.items():
            assert size in (model.sizes or ()), model.id
            assert all(re.fullmatch(r"\d+x\d+", one) for one in pixels.values()), model.id


def test_price_of_the_market_page():
    """The default model costs what the page says, to the digit."""
    assert packaged_catalogue().find("nano-banana").price.per_output == Decimal("0.0120")
