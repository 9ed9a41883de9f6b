"""What comes in: the requests of an input, the item that each one is, and what earlier runs left of it."""
