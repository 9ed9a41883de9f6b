"""Runs and single tasks, from what was asked for to the exit code."""
