"""One item under way: its slot, its task, its attempts, and what all items of a session share."""
