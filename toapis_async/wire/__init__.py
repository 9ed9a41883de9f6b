"""Floor 3: bytes to values and back. The gateway's own field names never leave this folder."""
