"""What the simulator shall do, as frozen values: nothing here opens a socket."""
