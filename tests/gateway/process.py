"""Runs `python -m gateway` in its own process, on an account that moto plays there; argv: the upstream's address."""

import signal
import sys

from gateway.__main__ import main

from tests.gateway.account import account

if __name__ == "__main__":
    # uvicorn raises the signal again when it has drained; the default would end us before we can tell
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with account("http://127.0.0.1:9") as cloud:
        cloud.issue("ada", "user")
        for model in ("echo", "slow", "endless"):
            cloud.register(model, f"openai/{model}", f"{sys.argv[1]}/v1")
        try:
            main()
        finally:
            print("litellm imported:", "litellm" in sys.modules, flush=True)
