"""The user's own files, and ours."""
