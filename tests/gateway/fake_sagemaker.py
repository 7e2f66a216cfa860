"""SageMaker's runtime with an endpoint that takes OpenAI's messages, as Hugging Face's and vLLM's containers do.

The endpoint's name says how it behaves. botocore itself is the judge, see `test_aws_fakes.py`.
"""

import json
from typing import Any

from aiohttp import web

from tests.gateway.aws_wire import AwsService, error, event, exception

WORDS = ("Gr", "ü", "ezi")
USAGE = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
BASE = {"id": "chatcmpl-sm", "created": 1_700_000_000, "model": "tgi"}
TOOL_CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}}


class FakeSageMaker(AwsService):
    name = "sagemaker"

    async def answer(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        _, endpoints, behaviour, action = request.raw_path.split("/")
        if endpoints != "endpoints":
            return error(404, "UnknownOperationException", "")
        if behaviour == "absent":
            return error(400, "ValidationError", "Endpoint absent of account 123456789012 not found.")
        if behaviour == "crashed":
            text = "Received server error (500) from primary with message"
            return error(424, "ModelError", text, OriginalStatusCode=500, OriginalMessage="out of memory")
        if behaviour == "throttled":
            return error(429, "ThrottlingException", "Rate exceeded")
        if action == "invocations-response-stream":
            return await self._stream(request, bool(body.get("tools")), behaviour)
        message: dict[str, Any] = {"role": "assistant", "content": "Grüezi"}
        if body.get("tools"):
            message = {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]}
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if body.get("tools") else "stop"}
        return web.json_response({**BASE, "object": "chat.completion", "choices": [choice], "usage": USAGE})

    async def _stream(self, request: web.Request, has_tools: bool, behaviour: str) -> web.StreamResponse:
        deltas: list[dict[str, Any]] = [{"content": word} for word in WORDS]
        if has_tools:
            deltas = [{"tool_calls": [{"index": 0, **TOOL_CALL}]}]
        chunks = [_chunk([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
        finish = "tool_calls" if has_tools else "stop"
        chunks.append(_chunk([{"index": 0, "delta": {}, "finish_reason": finish}], usage=USAGE))
        messages = [event("PayloadPart", chunk) for chunk in chunks]
        if behaviour == "failing":
            messages = [*messages[:2], exception("ModelStreamError", "The container stopped.")]
        return await self.stream(request, messages, behaviour)


def _chunk(choices: list[dict[str, Any]], **more: Any) -> bytes:
    body = {**BASE, "object": "chat.completion.chunk", "choices": choices, **more}
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n".encode()
