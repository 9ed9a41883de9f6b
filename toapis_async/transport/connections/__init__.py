"""How connections come about: straight or through a proxy, to whom they may lead, and why they fail."""
