"""What the workers of one web application share: which jobs there are, and whose they are."""
