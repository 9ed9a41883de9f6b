"""Floor 2: decisions. Values in, values out; the clock and the random source are arguments."""
