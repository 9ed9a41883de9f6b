"""Floor 4: the network door. aiohttp is imported here and nowhere below."""
