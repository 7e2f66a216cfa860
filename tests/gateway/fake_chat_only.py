"""An upstream that speaks OpenAI's chat and nothing else, so that other protocols have to be translated for it."""

import asyncio
import json
from typing import Any

from aiohttp import web

from tests.gateway.seen import Seen

USAGE = {
    "prompt_tokens": 30,
    "completion_tokens": 7,
    "total_tokens": 37,
    "prompt_tokens_details": {"cached_tokens": 20},
}
CALLS = [
    {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bern"}'}},
    {"id": "call_2", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Zürich"}'}},
]
BASE = {"id": "chatcmpl-1", "created": 1_700_000_000, "model": "upstream-name"}
Delta = dict[str, Any]


def _piece(delta: Delta, finish: str | None = None) -> dict[str, Any]:
    return {
        **BASE,
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


TEXT = [{"role": "assistant", "content": ""}, {"content": "Bon"}, {"content": "jour"}]
THOUGHTS = [
    {"role": "assistant", "reasoning_content": "They "},
    {"reasoning_content": "greet."},
    {"content": "Bonjour"},
]
PARALLEL_CALLS: list[Delta] = [{"role": "assistant", "content": "Let me look. "}]
for number, call in enumerate(CALLS):
    function: dict[str, str] = call["function"]  # type: ignore[assignment]
    first = {**call, "index": number, "function": {"name": function["name"], "arguments": ""}}
    PARALLEL_CALLS.append({"tool_calls": [first]})
    for start in range(0, len(function["arguments"]), 6):
        part = {"index": number, "function": {"arguments": function["arguments"][start : start + 6]}}
        PARALLEL_CALLS.append({"tool_calls": [part]})

WHOLE_CALLS = [{**call, "index": number} for number, call in enumerate(CALLS)]
SAY: Delta = {"role": "assistant", "content": "Let me look. "}
# How servers differ in telling of the same two calls.
CALL_STREAMS: dict[str, list[Delta]] = {
    "together": [{**SAY, "reasoning_content": "Two.", "tool_calls": WHOLE_CALLS}],
    "by-turns": [
        SAY,
        *(delta for pair in zip(PARALLEL_CALLS[1:5], PARALLEL_CALLS[5:], strict=False) for delta in pair),
    ],
    "same-index": [SAY, *({"tool_calls": [{**call, "index": 0}]} for call in WHOLE_CALLS)],
    "between": [PARALLEL_CALLS[1], SAY, *PARALLEL_CALLS[2:]],
}


class FakeChatOnly:
    def __init__(self) -> None:
        self.seen = Seen()
        self.application = web.Application()
        self.application.router.add_post("/v1/chat/completions", self._answer)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.seen.bodies.append(body)
        self.seen.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.seen.paths.append(request.path)
        try:
            return await self._behave(request, body)
        except (asyncio.CancelledError, ConnectionResetError):
            self.seen.cancelled += 1
            raise

    async def _behave(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        behaviour = body["model"]
        if behaviour == "limited":
            error = {"error": {"message": "slow down please", "type": "tokens", "code": "rate_limit_exceeded"}}
            return web.json_response(error, status=429, headers={"Retry-After": "70"})
        if behaviour == "key-refused":
            return web.json_response({"error": {"message": "no such key"}}, status=401)
        if behaviour == "redirect":
            return web.Response(status=307, headers={"Location": "/v1/elsewhere"})
        if behaviour == "hang":
            await asyncio.sleep(60)
        if body.get("stream"):
            return await self._stream(request, body)
        return web.json_response(_whole(body))

    async def _stream(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        behaviour = body["model"]
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        response.enable_chunked_encoding()
        await response.prepare(request)

        async def event(data: dict[str, Any]) -> None:
            await response.write(f"data: {json.dumps(data)}\n\n".encode())

        has_calls = bool(body.get("tools"))
        deltas = (
            CALL_STREAMS.get(behaviour, PARALLEL_CALLS) if has_calls else THOUGHTS if behaviour == "thinker" else TEXT
        )
        for delta in deltas:
            await event(_piece(delta))
        if behaviour == "endless":
            await asyncio.sleep(60)
        if behaviour == "cut":
            await asyncio.sleep(0.05)
            assert request.transport is not None
            request.transport.close()
            return response
        if behaviour == "short":  # ends in good form without a reason
            await response.write_eof()
            return response
        await event(_piece({}, "tool_calls" if has_calls else "stop"))
        if (body.get("stream_options") or {}).get("include_usage"):
            await event({**_piece({}), "choices": [], "usage": USAGE})
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        return response


def _whole(body: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": "Bonjour"}
    finish = "stop"
    if body.get("tools"):
        message, finish = {"role": "assistant", "content": "Let me look.", "tool_calls": CALLS}, "tool_calls"
    if body["model"] in ("unfinished", "garbled"):
        cut = {**CALLS[1], "function": {"name": "weather", "arguments": '{"city": "Z'}}
        message, finish = {**message, "tool_calls": [CALLS[0], cut]}, "length"
    if body["model"] == "garbled":
        finish = "tool_calls"
    if body["model"] == "thinker":
        message["reasoning_content"] = "They greet."
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {**BASE, "object": "chat.completion", "choices": [choice], "usage": USAGE}
