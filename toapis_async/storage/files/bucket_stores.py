"""The door to obstore, which is an extra: from an address and options to a store."""

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, cast

from toapis_async.errors import ConfigurationError
from toapis_async.storage.files.bucket_refusals import without_query

if TYPE_CHECKING:
    from obstore.store import ObjectStore

# What ``ClientConfig`` of obstore holds; everything else is the store's.
_CLIENT_OPTIONS = frozenset(
    {
        "allow_http",
        "allow_invalid_certificates",
        "connect_timeout",
        "default_content_type",
        "default_headers",
        "http1_only",
        "http2_keep_alive_interval",
        "http2_keep_alive_timeout",
        "http2_keep_alive_while_idle",
        "http2_only",
        "pool_idle_timeout",
        "pool_max_idle_per_host",
        "proxy_ca_certificate",
        "proxy_excludes",
        "proxy_url",
        "randomize_addresses",
        "read_timeout",
        "root_certificate",
        "timeout",
        "user_agent",
    }
)
_OWN_ARGUMENTS = frozenset({"retry_config", "credential_provider"})


def obstore() -> ModuleType:
    """Return the module.

    Raises:
        ConfigurationError: it is not installed.

    """
    try:
        return import_module("obstore")
    except ImportError as error:
        raise ConfigurationError(
            "Saving into a bucket needs obstore.", hint="pip install 'toapis-async[cloud]'"
        ) from error


def store_at(address: str, options: Mapping[str, object]) -> "ObjectStore":
    """Return the store that stands for an address.

    Args:
        address: such as ``s3://bucket/july``; names in the store are relative to it.
        options: obstore's own keys in one mapping: of the store, of its HTTP client, ``retry_config`` and
            ``credential_provider``.

    Raises:
        ConfigurationError: obstore is missing, or does not take them.

    """
    obstore()
    stores = import_module("obstore.store")
    client = {key: value for key, value in options.items() if key in _CLIENT_OPTIONS}
    own = {key: value for key, value in options.items() if key in _OWN_ARGUMENTS}
    rest = {key: value for key, value in options.items() if key not in {*client, *own}}
    try:
        store = stores.from_url(address, client_options=client or None, **own, **rest)
    except Exception as error:  # noqa: BLE001 - its errors have no base but Exception, for wrong types ValueError and TypeError
        raise ConfigurationError(
            f"{address} cannot be used: {without_query(str(error))}",
            hint="store_options takes the keys of obstore's stores, such as endpoint, region and allow_http.",
        ) from None
    return cast("ObjectStore", store)
