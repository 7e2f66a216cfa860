"""What a caller may still use."""
