"""``toapis report``: the gallery of a run."""
