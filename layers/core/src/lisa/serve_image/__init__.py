"""The container image of Serve, built from the sources that were deployed."""
