"""Floor 4: the disk door. Files, the journal and the manifest."""
