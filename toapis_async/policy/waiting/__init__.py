"""When to look at a task."""
