"""The catalogue that ships with the package."""

from functools import cache
from pkgutil import get_data
from typing import cast

from toapis_async.values.catalogue import Catalogue
from toapis_async.wire.packaged_models import catalogue_from_packaged


@cache
def packaged_catalogue() -> Catalogue:
    """Return the catalogue that ships with the package; read once, when it is first needed.

    Raises:
        ConfigurationError: somebody has edited it, and it is no catalogue any more.

    """
    # importlib.resources would load zipfile first, which costs as much as reading all the models. None is what
    # loaders give that have no data; whatever can load the package has it.
    data = cast(bytes, get_data("toapis_async", "data/models.json"))
    try:
        return catalogue_from_packaged(data)
    except (ValueError, TypeError, AttributeError, ArithmeticError):
        # Knows how to say what is wrong, and is slow to load.
        from toapis_async.wire.catalogue import catalogue_from_json  # noqa: PLC0415

        return catalogue_from_json(data)
