"""What a file is, where it may come from, and what it is called."""
