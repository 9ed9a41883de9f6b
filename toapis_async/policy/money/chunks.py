"""The names under which a run inside an engine knows its rows and chunks, whoever works on them, and how often."""

from collections.abc import Sequence
from hashlib import sha256


def chunk_digest(keys: Sequence[str]) -> str:
    """Name a chunk by its items, in whatever order: the same rows are the same chunk on every worker."""
    digest = sha256()
    for key in sorted(keys):
        encoded = key.encode("utf-8", "surrogatepass")
        # With its length before it, so that ["a", "bc"] and ["ab", "c"] are different chunks.
        digest.update(len(encoded).to_bytes(8) + encoded)
    return digest.hexdigest()[:32]


def run_reference(run_id: str, key: str) -> str:
    """Return the ``client_business_id`` of a row, the same at every attempt of every worker; 64 characters at most.

    Args:
        run_id: the run's fixed name.
        key: of the row, unique in the run.

    """
    run, row = (sha256(text.encode("utf-8", "surrogatepass")).hexdigest() for text in (run_id, key))
    return f"ta-{run[:16]}-{row[:40]}-1"
