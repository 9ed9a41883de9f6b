"""What a session writes down and counts: the journal around each POST, the manifest, the money."""
