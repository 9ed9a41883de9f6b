"""What is known after a submission, what may be sent again, and what a run goes on with."""
