"""Where saved files are."""

from pathlib import Path

import pytest

from toapis_async.values.files import FileBytes, SavedFile, is_address


def file(uri: str | Path) -> SavedFile:
    return SavedFile(uri=uri, bytes=1, sha256="", mime="image/png")  # type: ignore[arg-type]


@pytest.mark.parametrize("where", ["out/cat.png", "/abs/cat.png", "a:b/cat.png", "C:/out/cat.png", "猫/cat.png"])
def test_a_file_of_this_machine_has_a_path(where: str) -> None:
    """A path is the same path, however it was given."""
    assert (Path(where), where, "cat.png") == (file(where).path, file(Path(where)).uri, file(where).name)


@pytest.mark.parametrize("where", ["s3://bucket/july/cat.png", "memory://sink/cat.png", "az+https://x/cat.png"])
def test_a_file_elsewhere_has_none(where: str) -> None:
    """A Path would turn s3:// into s3:/, so there is none, and the error names the address."""
    assert is_address(where)
    assert (where, "cat.png") == (file(where).uri, file(where).name)
    with pytest.raises(ValueError, match=where.replace("+", "[+]")):
        _ = file(where).path


def test_bytes_are_not_shown() -> None:
    """Megabytes have no place in a log."""
    assert "secret" not in repr(FileBytes(data=b"secret", mime="image/png", sha256=""))
