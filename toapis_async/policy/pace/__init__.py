"""How fast to submit, and how much to have in flight."""
