"""Starts workers before they are asked for: a cold start costs a second of processor time, idle after a deploy."""

import logging
from collections.abc import Sequence

logger = logging.getLogger("warm")


def warm(logical_ids: Sequence[str]) -> None:
    """Start one worker of each function of a stack, in this order, unless it has one."""
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    functions = {function["config"]["FunctionName"]: function for function in lambda_svc._functions.all_values()}
    for name in [name for wanted in logical_ids for name in functions if f"-{wanted}-" in name]:
        function = functions[name]
        worker, _ = lambda_svc.acquire_worker(name, function["config"], function["code_zip"])
        try:
            lambda_runtime.ensure_spawned(worker)
        except RuntimeError:
            logger.exception("%s does not start", name)  # its first invocation says so, too
        finally:
            lambda_svc.release_worker(worker)
