"""An upstream that says, in every protocol, what the test tells it to say."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

from aiohttp import web

from tests.gateway.seen import Seen

Json = dict[str, Any]
BASE = {"id": "up-1", "created": 1_700_000_000, "model": "up"}
RESPONSE = {
    "id": "resp_up",
    "object": "response",
    "created_at": 1_700_000_000,
    "model": "up",
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}
LOGPROBS = {"content": [{"token": "a@b.example", "logprob": 0.0, "bytes": None, "top_logprobs": []}]}


class FakeSpeaker:
    """`pieces` are the deltas of a stream; together they are the whole answer."""

    def __init__(self) -> None:
        self.seen = Seen()
        self.pieces: list[str] = ["Hello ", "there"]
        self.delay = 0.0  # before the answer begins
        self.pause_before: int | None = None  # the piece before which a stream waits until `may_resume`
        self.may_resume: Callable[[], bool] = lambda: True
        self.raw: bytes | None = None  # a stream's bytes instead
        self.failure: dict[str, Any] | None = None  # an answer's status, text and content type instead
        self.logprobs: Json | None = None
        self.application = web.Application()
        for path, answer in (
            ("chat/completions", self._chat),
            ("completions", self._completions),
            ("responses", self._responses),
            ("messages", self._messages),
        ):
            self.application.router.add_post(f"/v1/{path}", self._handler(*answer()))
        for path in ("embeddings", "images/generations", "audio/speech"):
            self.application.router.add_post(f"/v1/{path}", self._other)
        self.application.router.add_post("/v1/audio/transcriptions", self._transcription)

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def _handler(self, whole: Any, events: Any) -> Any:
        async def handle(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            self.seen.bodies.append(body)
            try:
                await asyncio.sleep(self.delay)
                if self.failure is not None:
                    return web.Response(**self.failure)
                if not body.get("stream"):
                    return web.json_response(whole())
                return await self._stream(request, events())
            except (asyncio.CancelledError, ConnectionResetError):
                self.seen.cancelled += 1
                raise

        return handle

    async def _stream(self, request: web.Request, events: Iterator[tuple[int, bytes]]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        if self.raw is not None:
            await response.write(self.raw)
        else:
            for number, event in events:
                if number == self.pause_before:
                    while not self.may_resume():  # noqa: ASYNC110 - a thing of another thread
                        await asyncio.sleep(0.01)
                await response.write(event)
        await response.write_eof()
        return response

    async def _other(self, request: web.Request) -> web.Response:
        self.seen.bodies.append(await request.json())
        if request.path.endswith("speech"):
            return web.Response(body=b"\x00sound", content_type="audio/mpeg")
        vector = {"object": "embedding", "index": 0, "embedding": [0.5]}
        return web.json_response(
            {
                "object": "list",
                "created": 1,
                "data": [vector],
                "model": "up",
                "usage": {"prompt_tokens": 1, "total_tokens": 1},
            }
        )

    async def _transcription(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.seen.bodies.append(dict(form))
        if form.get("response_format") == "text":
            return web.Response(text=self.text)
        return web.json_response({"text": self.text})

    def _chat(self) -> Any:
        def whole() -> Json:
            message = {"role": "assistant", "content": self.text}
            choice = {"index": 0, "message": message, "logprobs": self.logprobs, "finish_reason": "stop"}
            return {**BASE, "object": "chat.completion", "choices": [choice]}

        def events() -> Iterator[tuple[int, bytes]]:
            chunk = {**BASE, "object": "chat.completion.chunk"}
            yield 0, _data({**chunk, "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
            for number, piece in enumerate(self.pieces):
                choice = {"index": 0, "delta": {"content": piece}, "logprobs": self.logprobs, "finish_reason": None}
                yield number, _data({**chunk, "choices": [choice]})
            yield -1, _data({**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            yield -1, b"data: [DONE]\n\n"

        return whole, events

    def _completions(self) -> Any:
        def whole() -> Json:
            choice = {"index": 0, "text": self.text, "finish_reason": "stop"}
            return {**BASE, "object": "text_completion", "choices": [choice]}

        def events() -> Iterator[tuple[int, bytes]]:
            chunk = {**BASE, "object": "text_completion"}
            for number, piece in enumerate(self.pieces):
                yield number, _data({**chunk, "choices": [{"index": 0, "text": piece, "finish_reason": None}]})
            yield -1, _data({**chunk, "choices": [{"index": 0, "text": "", "finish_reason": "stop"}]})
            yield -1, b"data: [DONE]\n\n"

        return whole, events

    def _responses(self) -> Any:
        def item() -> Json:
            part = {"type": "output_text", "text": self.text, "annotations": []}
            return {"id": "msg_up", "type": "message", "role": "assistant", "status": "completed", "content": [part]}

        def whole() -> Json:
            return {**RESPONSE, "status": "completed", "output": [item()]}

        def events() -> Iterator[tuple[int, bytes]]:
            place = {"item_id": "msg_up", "output_index": 0, "content_index": 0}
            started = {**RESPONSE, "status": "in_progress", "output": []}
            empty = {"type": "output_text", "text": "", "annotations": []}
            steps: list[tuple[int, str, Json]] = [
                (0, "created", {"response": started}),
                (0, "output_item.added", {"output_index": 0, "item": {**item(), "content": []}}),
                (0, "content_part.added", {**place, "part": empty}),
                *((n, "output_text.delta", {**place, "delta": piece}) for n, piece in enumerate(self.pieces)),
                (-1, "output_text.done", {**place, "text": self.text}),
                (-1, "content_part.done", {**place, "part": item()["content"][0]}),
                (-1, "output_item.done", {"output_index": 0, "item": item()}),
                (-1, "completed", {"response": whole()}),
            ]
            for sequence, (number, kind, fields) in enumerate(steps):
                yield number, _named(f"response.{kind}", {"sequence_number": sequence, **fields})

        return whole, events

    def _messages(self) -> Any:
        def whole() -> Json:
            return _message([{"type": "text", "text": self.text}], "end_turn")

        def events() -> Iterator[tuple[int, bytes]]:
            yield 0, _named("message_start", {"message": _message([], None)})
            yield 0, _named("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}})
            for number, piece in enumerate(self.pieces):
                delta = {"type": "text_delta", "text": piece}
                yield number, _named("content_block_delta", {"index": 0, "delta": delta})
            yield -1, _named("content_block_stop", {"index": 0})
            ended: Json = {"stop_reason": "end_turn", "stop_sequence": None}
            yield -1, _named("message_delta", {"delta": ended, "usage": {"output_tokens": 2}})
            yield -1, _named("message_stop", {})

        return whole, events


def _message(content: list[Json], stop: str | None) -> Json:
    return {
        "id": "msg_up",
        "type": "message",
        "role": "assistant",
        "model": "up",
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def _data(body: Json) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def _named(kind: str, fields: Json) -> bytes:
    return f"event: {kind}\n".encode() + _data({"type": kind, **fields})
