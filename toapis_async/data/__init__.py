"""Floor 0: data that ships with the package. ``models.json`` is the one place where the catalogue is edited."""
