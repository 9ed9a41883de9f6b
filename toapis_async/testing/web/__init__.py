"""The gateway's HTTP side, on aiohttp."""
