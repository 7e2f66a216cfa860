"""LISA Serve: the streaming inference gateway."""
