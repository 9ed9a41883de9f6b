"""Floor 7."""
