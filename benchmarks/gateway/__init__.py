"""The gateway beside LiteLLM's proxy and a bare relay, on the same mocked upstream, in one run: `make bench`."""
