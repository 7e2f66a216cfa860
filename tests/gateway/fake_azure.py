"""Azure OpenAI: deployments in the path, `api-version`, the key in `api-key`, filter results that OpenAI does not send.

The deployment's name says how it behaves. `openai.AzureOpenAI` is the judge, see `test_providers.py`.
"""

import asyncio
import json
from typing import Any

from aiohttp import web

from tests.gateway.aws_wire import Seen

KEY = "the-azure-key"
WORDS = ("Gu", "ten", " Tag")
REFUSAL = ("I can", "not.")
USAGE = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
BASE = {"id": "chatcmpl-az", "created": 1_700_000_000, "model": "gpt-4o-2024-11-20"}
SAFE = {"hate": {"filtered": False, "severity": "safe"}}
TOOL_CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bern"}'}}


class FakeAzure:
    def __init__(self) -> None:
        self.seen = Seen()
        self.application = web.Application()
        self.application.router.add_post("/openai/deployments/{deployment}/{path:.*}", self._handle)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("api-key") != KEY:
            self.seen.refused += 1
            text = "Access denied due to invalid subscription key or wrong API endpoint."
            return web.json_response({"error": {"code": "401", "message": text}}, status=401)
        if "api-version" not in request.query:
            return web.json_response({"error": {"code": "404", "message": "Resource not found"}}, status=404)
        body = await request.json()
        self.seen.paths.append(request.path_qs)
        self.seen.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.seen.bodies.append(body)
        try:
            return await self._answer(request, body)
        except asyncio.CancelledError:
            self.seen.cancelled += 1
            raise

    async def _answer(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        behaviour, path = request.match_info["deployment"], request.match_info["path"]
        if behaviour == "throttled":
            text = "Requests have exceeded the call rate limit of your current pricing tier."
            return web.json_response(
                {"error": {"code": "429", "message": text}}, status=429, headers={"Retry-After": "11"}
            )
        if behaviour == "invalid":
            text = "The response was filtered due to the prompt triggering the content management policy."
            error = {"message": text, "type": None, "param": "prompt", "code": "content_filter", "status": 400}
            return web.json_response({"error": error}, status=400)
        if behaviour == "absent":
            error = {"code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist."}
            return web.json_response({"error": error}, status=404)
        if path == "embeddings":
            texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
            data = [{"object": "embedding", "index": n, "embedding": [0.25, -1.5]} for n, _ in enumerate(texts)]
            usage = {"prompt_tokens": 2, "total_tokens": 2}
            return web.json_response({"object": "list", "data": data, "model": behaviour, "usage": usage})
        if path != "chat/completions":
            return web.json_response({"error": {"code": "404", "message": "Resource not found"}}, status=404)
        if body.get("stream"):
            return await self._stream(request, body, behaviour)
        message: dict[str, Any] = {"role": "assistant", "content": "Guten Tag", "refusal": None}
        if body.get("tools"):
            message = {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]}
        if behaviour == "refusing":
            message = {"role": "assistant", "content": None, "refusal": "".join(REFUSAL)}
        finish = "tool_calls" if body.get("tools") else "stop"
        choice = {"index": 0, "message": message, "finish_reason": finish, "content_filter_results": SAFE}
        filtered = [{"prompt_index": 0, "content_filter_results": SAFE}]
        return web.json_response(
            {
                **BASE,
                "object": "chat.completion",
                "choices": [choice],
                "usage": USAGE,
                "prompt_filter_results": filtered,
            }
        )

    async def _stream(self, request: web.Request, body: dict[str, Any], behaviour: str) -> web.StreamResponse:
        deltas: list[dict[str, Any]] = [{"content": word} for word in WORDS]
        if behaviour == "refusing":
            deltas = [{"role": "assistant", "content": None, "refusal": ""}, *({"refusal": word} for word in REFUSAL)]
        if body.get("tools"):
            deltas = [{"tool_calls": [{"index": 0, **TOOL_CALL}]}]
        filtered = [{"prompt_index": 0, "content_filter_results": SAFE}]
        events = [
            _event([], prompt_filter_results=filtered),
            *(_event([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas),
            _event([{"index": 0, "delta": {}, "finish_reason": "tool_calls" if body.get("tools") else "stop"}]),
        ]
        if (body.get("stream_options") or {}).get("include_usage"):
            events.append(_event([], usage=USAGE))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        for number, event in enumerate([*events, b"data: [DONE]\n\n"]):
            if number == 3 and behaviour == "cut":
                await response.write(event[: len(event) // 2])
                await asyncio.sleep(0.05)
                assert request.transport is not None
                request.transport.close()
                return response
            if number == 3 and behaviour == "failing":
                error = {"error": {"message": "The server had an error while processing your request.", "code": "500"}}
                await response.write(b"data: " + json.dumps(error).encode() + b"\n\n")
                break
            if number == 3 and behaviour == "endless":
                await asyncio.sleep(60)
            if number == 3 and behaviour == "short":
                break
            await response.write(event)
            await asyncio.sleep(0.005)
        await response.write_eof()
        return response


def _event(choices: list[dict[str, Any]], **more: Any) -> bytes:
    body = {**BASE, "object": "chat.completion.chunk", "choices": choices, **more}
    return b"data: " + json.dumps(body).encode() + b"\n\n"
