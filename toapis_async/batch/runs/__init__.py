"""Many items under way: runs, what feeds them, and the streams and jobs by which their outcomes are read."""
