"""The gateway in miniature: its state and its replies, without a socket."""
