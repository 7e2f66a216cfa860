"""What every LISA function and the gateway share."""
