"""Passing calls through to endpoints that speak the caller's protocol."""
