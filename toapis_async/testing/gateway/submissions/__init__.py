"""What is asked for: the checks of a submission, its price, and the task that it becomes."""
