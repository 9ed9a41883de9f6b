"""Small objects that workers agree by: a name has one creator, on a shared directory or in a bucket."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from toapis_async.storage.files.bucket_refusals import absent_is_none, taken_is_false, translated
from toapis_async.storage.files.bucket_stores import obstore, store_at
from toapis_async.storage.files.refusals import storage_error
from toapis_async.values.files import is_address


class Claims(Protocol):
    """Where workers leave word for each other."""

    async def create(self, name: str, text: str) -> bool:
        """Write a text under a name that is free, durably, and tell whether it was.

        Raises:
            StorageError: it could not be written.

        """
        ...

    async def replace(self, name: str, text: str) -> None:
        """Write a text under a name, whatever it had.

        Raises:
            StorageError: it could not be written.

        """
        ...

    async def read(self, name: str) -> str | None:
        """Return the text of a name, or None.

        Raises:
            StorageError: it could not be read.

        """
        ...


def claims_at(place: str, options: Mapping[str, object]) -> Claims:
    """Return the claims that are kept in a directory or below a bucket's address.

    Raises:
        ConfigurationError: obstore is missing, or does not take the address.

    """
    return BucketClaims(place, options) if is_address(place) else DirectoryClaims(Path(place))


class BucketClaims:
    """Claims in a bucket, by conditional puts."""

    def __init__(self, address: str, options: Mapping[str, object]) -> None:
        self._address = address
        self._store = store_at(address, options)

    async def create(self, name: str, text: str) -> bool:
        """See ``Claims.create``. Where the reply to ours was lost and it was put again, it is ours still."""
        with translated(f"{self._address}/{name}"):
            put = obstore().put_async(self._store, name, text.encode(), mode="create", use_multipart=False)
            if await taken_is_false(put):
                return True
        return await self.read(name) == text

    async def replace(self, name: str, text: str) -> None:
        """See ``Claims.replace``."""
        with translated(f"{self._address}/{name}"):
            await obstore().put_async(self._store, name, text.encode(), use_multipart=False)

    async def read(self, name: str) -> str | None:
        """See ``Claims.read``."""
        with translated(f"{self._address}/{name}"):
            found = await absent_is_none(obstore().get_async(self._store, name))
            return None if found is None else bytes(await found.bytes_async()).decode()


class DirectoryClaims:
    """Claims as files of a directory that the workers share."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def create(self, name: str, text: str) -> bool:
        """See ``Claims.create``."""
        return await asyncio.to_thread(self._create, name, text)

    async def replace(self, name: str, text: str) -> None:
        """See ``Claims.replace``."""
        await asyncio.to_thread(self._replace, name, text)

    async def read(self, name: str) -> str | None:
        """See ``Claims.read``."""
        return await asyncio.to_thread(self._read, name)

    def _create(self, name: str, text: str) -> bool:
        draft = self._draft(name, text)
        try:
            os.link(draft, self._path / name)
        except FileExistsError:
            return False
        except OSError as error:
            raise storage_error(error, path=str(self._path / name)) from error
        finally:
            draft.unlink(missing_ok=True)
        return True

    def _replace(self, name: str, text: str) -> None:
        self._draft(name, text).replace(self._path / name)

    def _read(self, name: str) -> str | None:
        try:
            return (self._path / name).read_text("utf-8")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error(error, path=str(self._path / name)) from error

    def _draft(self, name: str, text: str) -> Path:
        path = self._path / name
        draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}.part")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with draft.open("x", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise storage_error(error, path=str(path)) from error
        return draft
