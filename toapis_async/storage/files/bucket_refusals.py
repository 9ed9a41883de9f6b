"""What a bucket's refusals mean, and what to do about them."""

import re
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TypeVar

from toapis_async.errors import StorageError

T = TypeVar("T")

# A signed address has its signature there.
_QUERY = re.compile(r"\?[^\s\"'<>)]+")
_LONGEST_MESSAGE = 400

_HINTS = {
    "PermissionDeniedError": "Give this machine's credentials the right to read and write there, and resume.",
    "UnauthenticatedError": "Set the store's credentials in the environment or in store_options, and resume.",
    "NotSupportedError": "The store does not know conditional puts, which keep what is there; use another one.",
}
_OTHER = "Check the address, the network and the credentials, and resume: nothing that was paid for is lost."


def without_query(text: str) -> str:
    """Return a message without what addresses in it carry behind a question mark, and not too long."""
    return _QUERY.sub("?…", text)[:_LONGEST_MESSAGE]


@contextmanager
def translated(uri: str) -> Iterator[None]:
    """Turn what obstore raises into our own.

    Raises:
        StorageError: the store refused, or could not be reached.

    """
    base: type[Exception] = import_module("obstore.exceptions").BaseError
    try:
        yield
    except (base, OSError) as error:
        kind = type(error).__name__
        raise StorageError(
            f"{uri}: {kind}: {without_query(str(error))}", path=uri, hint=_HINTS.get(kind, _OTHER)
        ) from None


async def absent_is_none(question: Awaitable[T]) -> T | None:
    """Wait for an answer of the store, and return None where it has no such object."""
    absent: type[Exception] = import_module("obstore.exceptions").NotFoundError
    try:
        return await question
    except (absent, FileNotFoundError):
        return None


async def taken_is_false(put: Awaitable[object]) -> bool:
    """Wait for a conditional put, and tell whether the name was free."""
    errors = import_module("obstore.exceptions")
    taken: tuple[type[Exception], ...] = (errors.AlreadyExistsError, errors.PreconditionError)
    try:
        await put
    except taken:
        return False
    return True
