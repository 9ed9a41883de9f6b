"""Decisions about the way through the network."""
