"""The library inside other frameworks; each file needs its own framework, and nothing else imports it."""
