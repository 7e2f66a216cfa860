"""What calls used, and what that costs."""
