"""Texts that guardrails see before anybody else does."""
