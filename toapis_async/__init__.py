"""toapis_async: prompts in, image files on disk, through the ToAPIs gateway."""
