"""Catalogues of the user's own."""

import pytest

from toapis_async.errors import ConfigurationError
from toapis_async.storage.inputs.catalogue_file import catalogue_file
from toapis_async.storage.inputs.packaged_catalogue import packaged_catalogue


def test_own_file_is_read(tmp_path):
    """A user's file may be in any directory and is given by path."""
    path = tmp_path / "mine.json"
    path.write_text('[{"id": "mine", "kind": "image"}]')

    catalogue = packaged_catalogue().with_models(*catalogue_file(path))

    assert catalogue.find("mine").kind == "image"
    assert len(packaged_catalogue()) + 1 == len(catalogue)


def test_missing_file_is_told(tmp_path):
    """The error names the path."""
    with pytest.raises(ConfigurationError, match=r"nowhere\.json"):
        catalogue_file(tmp_path / "nowhere.json")


def test_broken_file_is_told(tmp_path):
    """The error names the path and the fault."""
    path = tmp_path / "mine.json"
    path.write_text("[1]")

    with pytest.raises(ConfigurationError, match=r"mine\.json.*entry 1"):
        catalogue_file(str(path))
