"""Floor 3: where something of the user's, or another implementation of ours, can be attached."""
