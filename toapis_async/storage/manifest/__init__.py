"""What the user reads of a run."""
