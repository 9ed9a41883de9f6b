"""A certificate for the occasion."""

from collections.abc import Sequence
from pathlib import Path

import attrs

from toapis_async.errors import ConfigurationError


@attrs.frozen
class Certificate:
    """Where the pieces lie, as PEM files.

    Attributes:
        ca_file: what clients have to trust.
        chain_file: the server's key and certificate.

    """

    ca_file: Path
    chain_file: Path


def make_certificate(hosts: Sequence[str], folder: Path) -> Certificate:
    """Make an authority and a certificate for host names and addresses, valid for this run.

    Raises:
        ConfigurationError: the package ``trustme`` is not installed.

    """
    try:
        import trustme  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError(
            "TLS needs a certificate and nothing here can make one", hint="pip install trustme"
        ) from error
    authority = trustme.CA()
    issued = authority.issue_cert(*hosts, "localhost", "127.0.0.1")
    certificate = Certificate(folder / "authority.pem", folder / "server.pem")
    authority.cert_pem.write_to_path(str(certificate.ca_file))
    issued.private_key_and_cert_chain_pem.write_to_path(str(certificate.chain_file))
    return certificate
