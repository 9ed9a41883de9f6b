"""What the disk says becomes an error that says what to do."""

import errno
import os
import pickle

import pytest

from toapis_async.storage.files.refusals import storage_error


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "Free some space"),
        (errno.EDQUOT, "Free some space"),
        (errno.EACCES, "write access"),
        (errno.EROFS, "write access"),
        (errno.EMFILE, "ulimit -n"),
        (errno.EFBIG, "ulimit -f"),
        (errno.EIO, "Check the disk"),
    ],
)
def test_each_refusal_has_its_advice(number, advice):
    """The text names the path and what the system said; the hint says what to do."""
    error = storage_error(OSError(number, os.strerror(number)), path="out/cat.png")

    assert advice in error.hint
    assert error.path == "out/cat.png"
    assert os.strerror(number) in error.message
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_an_error_without_a_number_is_named_by_its_type():
    """Some refusals come without the system's words."""
    assert "OSError" in storage_error(OSError(), path="x").message
