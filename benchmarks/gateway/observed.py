"""`python -m gateway` that tells on SIGUSR1 how many tasks and objects it has, a JSON line on stdout: for the soak."""

import asyncio
import gc
import json
import signal
from types import FrameType

from gateway.__main__ import main


def tell(_number: int, _frame: FrameType | None) -> None:
    tasks = len(asyncio.all_tasks(asyncio.get_running_loop()))
    gc.collect()
    print(json.dumps({"tasks": tasks, "objects": len(gc.get_objects())}), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, tell)
    main()
