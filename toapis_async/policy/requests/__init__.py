"""What a model accepts, and what it costs."""
