"""One account's limits for many workers: what each may spend, out of what all of them heard."""
