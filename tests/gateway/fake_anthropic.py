"""An upstream that speaks Anthropic's Messages protocol, enough for LiteLLM's translation."""

import asyncio
import json
from typing import Any

from aiohttp import web

from tests.gateway.seen import Seen

USAGE = {"input_tokens": 11, "output_tokens": 5}
CACHED_USAGE = {**USAGE, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 50}
CALLS = [
    {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Bern"}},
    {"type": "tool_use", "id": "toolu_2", "name": "weather", "input": {"city": "Zürich"}},
]
THOUGHT = {"type": "thinking", "thinking": "They greet.", "signature": "signed"}


def _behaviour(body: dict[str, Any]) -> str:
    return str(body["model"]).removeprefix("claude-")


class FakeAnthropic:
    def __init__(self) -> None:
        self.seen = Seen()
        self.application = web.Application()
        self.application.router.add_post("/v1/messages", self._messages)
        self.application.router.add_post("/elsewhere", self._messages)

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.seen.bodies.append(body)
        self.seen.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.seen.paths.append(request.path)
        try:
            return await self._behave(request, body)
        except asyncio.CancelledError:
            self.seen.cancelled += 1
            raise

    async def _behave(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        behaviour = _behaviour(body)
        if behaviour == "overloaded":
            error = {"type": "error", "error": {"type": "rate_limit_error", "message": "too many tokens"}}
            return web.json_response(error, status=429)
        if behaviour == "redirect":
            return web.Response(status=307, headers={"Location": "/elsewhere"})
        if behaviour == "hang":
            await asyncio.sleep(60)
        if body.get("stream"):
            return await self._stream(request, body)
        content: list[dict[str, Any]] = [{"type": "text", "text": "Bonjour"}]
        stop = "end_turn"
        if body.get("tools"):
            content, stop = list(CALLS), "tool_use"
        if body.get("thinking"):
            content.insert(0, THOUGHT)
        return web.json_response(
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": body["model"],
                "content": content,
                "stop_reason": stop,
                "stop_sequence": None,
                "usage": CACHED_USAGE if "cache_control" in json.dumps(body) else USAGE,
            }
        )

    async def _stream(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        response.enable_chunked_encoding()
        await response.prepare(request)

        async def event(kind: str, **fields: Any) -> None:
            text = f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"
            await response.write(text.encode())

        message = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 11, "output_tokens": 1},
        }
        await event("message_start", message=message)
        if body.get("thinking"):
            await event("content_block_start", index=0, content_block={**THOUGHT, "thinking": "", "signature": ""})
            for part in ("They ", "greet."):
                await event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": part})
            await event("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "signed"})
            await event("content_block_stop", index=0)
        if body.get("tools"):
            for number, call in enumerate(CALLS):
                await event("content_block_start", index=number, content_block={**call, "input": {}})
                for part in ('{"city": ', json.dumps(call["input"]["city"]) + "}"):  # type: ignore[index]
                    await event(
                        "content_block_delta", index=number, delta={"type": "input_json_delta", "partial_json": part}
                    )
                await event("content_block_stop", index=number)
            await event("message_delta", delta={"stop_reason": "tool_use", "stop_sequence": None}, usage=USAGE)
            await event("message_stop")
            return response
        await event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        await event("ping")
        for number, word in enumerate(("Bon", "jour", " !")):
            await event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})
            if _behaviour(body) == "endless" and number == 2:
                await asyncio.sleep(60)
            if _behaviour(body) == "cut" and number == 1:
                await asyncio.sleep(0.05)
                assert request.transport is not None
                request.transport.close()
                return response
        await event("content_block_stop", index=0)
        await event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage=USAGE)
        await event("message_stop")
        await response.write_eof()
        return response
