"""AWS on the loopback: ministack, pinned, with the few repairs this stack needs. Only `local/` knows of it."""
