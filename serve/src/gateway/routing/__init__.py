"""Which model, deployment and key answers a call."""
