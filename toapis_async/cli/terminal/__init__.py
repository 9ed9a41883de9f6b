"""What is shown, and where: the two streams, progress, tables."""
