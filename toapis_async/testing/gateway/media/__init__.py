"""Whole files of each format, written by hand: they decode, and need no library."""
