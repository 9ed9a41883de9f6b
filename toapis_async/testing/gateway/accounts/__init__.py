"""Users of the simulated gateway and their allowance."""
