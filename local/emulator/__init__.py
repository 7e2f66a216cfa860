"""AWS on the loopback: ministack, pinned, with the few repairs this stack needs. Nothing outside `local/` knows of it."""
