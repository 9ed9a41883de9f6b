"""The bodies of replies and webhooks, shape for shape as the gateway writes them."""
