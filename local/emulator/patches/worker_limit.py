"""At most N workers per function; further invocations wait for one, as they would in a queue.

ministack starts a process for every concurrent invocation: 200 files dropped at once would be 200 interpreters.
No function here invokes itself, so waiting cannot lock up; after the function's own timeout one more is started anyway.
"""

import threading
import time
from collections import defaultdict
from typing import Any

RECHECK_SECONDS = 1.0  # a worker that died gives no signal


def install(limit: int) -> None:
    """Let `limit` workers of a function exist."""
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    acquire, release = lambda_runtime.acquire_worker, lambda_runtime.release_worker
    turnstiles: dict[str, threading.Condition] = defaultdict(threading.Condition)

    def acquire_in_turn(
        name: str, config: dict[str, Any], code: bytes, qualifier: str = "$LATEST", max_concurrency: int | None = None
    ) -> tuple[Any, str]:
        deadline = time.monotonic() + float(config.get("Timeout", 30))
        with turnstiles[name]:
            while time.monotonic() < deadline:
                worker, reason = acquire(name, config, code, qualifier=qualifier, max_concurrency=limit)
                if worker is not None:
                    return worker, reason
                turnstiles[name].wait(RECHECK_SECONDS)
        answer: tuple[Any, str] = acquire(name, config, code, qualifier=qualifier, max_concurrency=max_concurrency)
        return answer

    def release_and_tell(worker: Any) -> None:
        release(worker)
        if worker is not None:
            with turnstiles[worker.func_name]:
                turnstiles[worker.func_name].notify()

    lambda_svc.acquire_worker = acquire_in_turn
    lambda_svc.release_worker = release_and_tell
