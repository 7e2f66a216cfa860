"""An upstream that speaks OpenAI's protocol; the name of the model says how it behaves."""

import asyncio
import base64
import json
import struct
from typing import Any

from aiohttp import web

from tests.gateway.fake_media import add_media
from tests.gateway.seen import Seen

TOOL_CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city":"Zürich"}'},
}
USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
BASE = {"id": "chatcmpl-up", "created": 1_700_000_000}


class FakeOpenAi:
    def __init__(self) -> None:
        self.seen = Seen()
        self._flaky_calls = 0
        self.application = web.Application(client_max_size=64 * 1024 * 1024)
        for path in ("chat/completions", "completions", "embeddings"):
            self.application.router.add_post(f"/v1/{path}", self._answer)
        add_media(self.application, self.seen)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.seen.bodies.append(body)
        self.seen.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.seen.paths.append(request.path_qs)
        try:
            return await self._behave(request, body)
        except (asyncio.CancelledError, ConnectionResetError):  # whichever the server notices first
            self.seen.cancelled += 1
            raise

    async def _behave(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        behaviour = body["model"]
        if behaviour == "hang":
            await asyncio.sleep(60)
        if behaviour == "rate-limited":
            error = {"error": {"message": "slow down", "type": "tokens", "code": "rate_limit_exceeded", "param": None}}
            return web.json_response(
                error, status=429, headers={"Retry-After": "7", "Set-Cookie": "a=b", "X-RateLimit-Limit-Tokens": "9"}
            )
        if behaviour == "flaky":  # every third call is answered
            self._flaky_calls += 1
            if self._flaky_calls % 3:
                return web.json_response({"error": {"message": "try again"}}, status=500)
        if behaviour == "key-refused":
            return web.json_response({"error": {"message": "bad key"}}, status=401)
        if behaviour == "html":
            return web.Response(text="<html>bad gateway</html>", status=503, content_type="text/html")
        if behaviour == "plain":
            return web.Response(text="model is loading", status=503)
        if behaviour == "redirect":
            return web.Response(status=307, headers={"Location": str(request.url.with_path("/v1/elsewhere"))})
        if behaviour == "half":
            return await self._half_an_answer(request)
        if request.path.endswith("/embeddings"):
            return web.json_response(_embeddings(body))
        if body.get("stream"):
            return await self._stream(request, body)
        return web.Response(text=_answer_text(request.path, body), content_type="application/json")

    async def _half_an_answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(b'{"choices": [')
        assert request.transport is not None
        request.transport.close()
        return response

    async def _stream(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        behaviour = body["model"]
        headers = {"Content-Type": "text/event-stream; charset=utf-8"}
        response = web.StreamResponse(headers=headers)
        if behaviour == "unframed-cut":
            response.force_close()
            response.headers["Connection"] = "close"
        else:
            response.enable_chunked_encoding()
        await response.prepare(request)
        for number, event in enumerate(_events(request.path, body)):
            if number == 2:
                if behaviour in ("cut", "unframed-cut"):
                    await response.write(event[: len(event) // 2])
                    await asyncio.sleep(0.05)
                    assert request.transport is not None
                    request.transport.close()
                    return response
                if behaviour == "gap":
                    await asyncio.sleep(60)
            if behaviour == "slow":
                await asyncio.sleep(0.15)
            if behaviour == "dribble":
                for start in range(0, len(event), 7):
                    await response.write(event[start : start + 7])
                    await asyncio.sleep(0)
            else:
                await response.write(event)
        if behaviour == "endless":
            while True:
                await response.write(b": still here\n\n")
                await asyncio.sleep(0.02)
        await response.write_eof()
        return response


def _answer_text(path: str, body: dict[str, Any]) -> str:
    """Spelled unlike any serialiser would, so that a test sees whether the bytes were touched."""
    if path.endswith("/chat/completions"):
        message: dict[str, Any] = {"role": "assistant", "content": "Hello  \u2028 there"}
        if body["model"] == "tools":
            message = {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        answer = {**BASE, "object": "chat.completion", "model": body["model"], "choices": [choice], "usage": USAGE}
    else:
        choice = {"index": 0, "text": "Hello there", "finish_reason": "stop", "logprobs": None}
        answer = {**BASE, "object": "text_completion", "model": body["model"], "choices": [choice], "usage": USAGE}
    return "\n" + json.dumps(answer, indent=3) + "\n"


def _events(path: str, body: dict[str, Any]) -> list[bytes]:
    chat = path.endswith("/chat/completions")
    chunk = {**BASE, "object": "chat.completion.chunk" if chat else "text_completion", "model": body["model"]}

    def event(choices: list[dict[str, Any]], **more: Any) -> bytes:
        return b"data: " + json.dumps({**chunk, "choices": choices, **more}).encode() + b"\n\n"

    def piece(text: str, finish: str | None = None) -> bytes:
        inner: dict[str, Any] = {"delta": {"content": text}} if chat else {"text": text}
        return event([{"index": 0, **inner, "finish_reason": finish}])

    words = ["Hel", "lo ", "the", "re", " \u2603"]
    events = [piece(word) for word in words]
    if body["model"] == "tools":
        call = {"index": 0, **TOOL_CALL}
        events = [event([{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}])]
    events.append(piece("", "stop"))
    if (body.get("stream_options") or {}).get("include_usage"):
        events.append(event([], usage=USAGE))
    return [*events, b"data: [DONE]\n\n"]


def _embeddings(body: dict[str, Any]) -> dict[str, Any]:
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    vectors = [[float(len(str(text))), 0.5, -0.25] for text in texts]
    as_base64 = body.get("encoding_format") == "base64"
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": base64.b64encode(struct.pack("<3f", *vector)).decode() if as_base64 else vector,
        }
        for index, vector in enumerate(vectors)
    ]
    return {
        "object": "list",
        "data": data,
        "model": body["model"],
        "usage": {"prompt_tokens": 2, "total_tokens": 2},
    }
