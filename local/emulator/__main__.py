"""Run the emulator: `python -m local.emulator --port 4566 --state FOLDER --runtime FOLDER/bin/python`.

It runs in a virtual environment of its own (requirements/emulator.txt). POST /_lisa/save saves its state at
once, POST /_lisa/warm?FunctionA,FunctionB starts workers.
"""

import argparse
import asyncio
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

from local.emulator import function_log
from local.emulator.durability import Durability
from local.emulator.environment import emulator_environment, hiding_interpreter, replace_environment
from local.emulator.guard import allowed_origins, guarded
from local.emulator.warm import warm

WORKERS_PER_FUNCTION = 4


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.emulator", description="AWS on the loopback.")
    parser.add_argument("--port", type=int, default=4566)
    parser.add_argument("--state", type=Path, required=True, help="folder that keeps everything")
    parser.add_argument("--runtime", type=Path, required=True, help="interpreter of the functions (boto3 and no more)")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--workers", type=int, default=WORKERS_PER_FUNCTION, help="processes per function")
    parser.add_argument("--function-log", type=Path, help="file that gets the functions' log lines")
    parser.add_argument("--enforce-iam", action="store_true", help="check the functions' policies")
    parser.add_argument(
        "--page", default="http://localhost:8080", help="origin of the page that may call from a browser"
    )
    return parser.parse_args()


def main() -> None:
    """Prepare folders and environment, then hand over to ministack's own server."""
    options = arguments()
    state = options.state.resolve()
    temporary = state / "tmp"
    shutil.rmtree(temporary, ignore_errors=True)  # of workers that ended long ago
    temporary.mkdir(parents=True)
    replace_environment(
        emulator_environment(
            dict(os.environ), state=state, port=options.port, region=options.region, iam=options.enforce_iam
        )
    )
    from ministack import app

    from local.emulator.patches import install_all

    install_all(
        interpreter=hiding_interpreter(temporary, options.runtime.absolute()),
        unpacked=state / "unpacked",
        workers_per_function=options.workers,
    )
    if options.function_log:
        function_log.install(options.function_log.absolute())
    durability = Durability(state / "journals")
    durability.install()
    app.app = guarded(served(app.app, durability), allowed_origins(options.page, options.port))
    sys.argv = sys.argv[:1]  # ministack reads arguments of its own
    app.main()


def served(emulator: Any, durability: Durability) -> Any:
    """ministack's ASGI application, watched: what may have changed something is saved soon."""
    saver = threading.Lock()

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            loop = asyncio.get_running_loop()
            if saver.acquire(blocking=False):  # the first request starts the saving, and the lock is never released
                threading.Thread(target=durability.save_from_time_to_time, args=(loop,), daemon=True).start()
            if scope["path"] == "/_lisa/save":
                await asyncio.to_thread(durability.save, loop)
                await answer_nothing(send)
                return
            if scope["path"] == "/_lisa/warm":
                functions = scope["query_string"].decode().split(",")
                threading.Thread(target=warm, args=(functions,), daemon=True).start()
                await answer_nothing(send)
                return
            if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
                durability.dirty = True
        await emulator(scope, receive, send)

    return application


async def answer_nothing(send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    main()
