"""A failed function reports the exception's class as errorType, as on AWS: Retry and Catch match on it.

ministack says `Runtime.HandlerError` for every exception, and kills the worker.
"""

import threading
from typing import Any

WORKER_ANSWER = '"trace": traceback.format_exc()}'
WORKER_ANSWER_WITH_TYPE = (
    '"trace": traceback.format_exc(), "type": type(e).__name__, "stack": traceback.format_tb(e.__traceback__)[1:]}'
)


def install() -> None:
    """Carry the class and the stack from the worker to the invocation's result."""
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    if WORKER_ANSWER not in lambda_runtime._PYTHON_WORKER_SCRIPT:
        raise RuntimeError("ministack's worker script has changed: look at local/emulator/patches/handler_errors.py")
    lambda_runtime._PYTHON_WORKER_SCRIPT = lambda_runtime._PYTHON_WORKER_SCRIPT.replace(
        WORKER_ANSWER, WORKER_ANSWER_WITH_TYPE
    )
    this_thread = threading.local()
    invoke, execute = lambda_runtime.Worker.invoke, lambda_svc._execute_function_warm

    def invoke_and_remember(self: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        answer: dict[str, Any] = invoke(self, *args, **kwargs)
        this_thread.answer = answer
        return answer

    def execute_with_type(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        this_thread.answer = None
        result: dict[str, Any] = execute(func, event, request_id)
        return with_error_type(result, this_thread.answer, request_id)

    lambda_runtime.Worker.invoke = invoke_and_remember
    lambda_svc._execute_function_warm = execute_with_type


def with_error_type(result: dict[str, Any], answer: dict[str, Any] | None, request_id: str) -> dict[str, Any]:
    """`result` with AWS's error payload, when the worker told the exception's class."""
    if not result.get("error") or not answer or "type" not in answer:
        return result
    payload = {
        "errorMessage": answer["error"],
        "errorType": answer["type"],
        "requestId": request_id,
        "stackTrace": answer["stack"],
    }
    return {**result, "body": payload}
