"""Floor 5: one call each. Submitting, waiting, fetching, uploading."""
