"""How each format is built: one walk per family, over bytes as they come."""
