"""What a caller gets in place of a text that a guardrail blocked: an answer of the protocol, marked as refused."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from gateway.errors import GuardrailTriggeredError
from gateway.exchange import Exchange
from gateway.operations import CHAT, COMPLETIONS, MESSAGES, RESPONSES, Operation
from gateway.relay.events import END_MARK

ID = "guardrail-response"
MARK = {"lisa_guardrail_triggered": True}
Json = dict[str, Any]


class Refusal:
    """Knows what of a stream was released, so that it can be brought to an end that its protocol allows."""

    def __init__(self, exchange: Exchange, body: Json) -> None:
        self._exchange = exchange
        self._is_streamed = body.get("stream") is True
        self._has_message = False
        self._open_block: int | None = None
        self._blocks = 0
        self._response: Json | None = None
        self._sequence = -1

    def saw(self, event: Json) -> None:
        """An event that goes to the caller."""
        kind = event.get("type")
        if kind == "message_start":
            self._has_message = True
        elif kind == "content_block_start":
            self._open_block = event.get("index")
            self._blocks += 1
        elif kind == "content_block_stop":
            self._open_block = None
        elif kind == "response.output_item.added":
            self._blocks += 1
        elif kind == "response.created":
            self._response = event.get("response")
        self._sequence = max(self._sequence, event.get("sequence_number") or -1)

    async def answer(self, error: GuardrailTriggeredError) -> None:
        """Sends the message in place of, or after, what was released.

        Raises: the error itself where the protocol has no place for a message.
        """
        exchange, operation = self._exchange, self._exchange.known_operation
        form = FORMS.get(operation)
        if form is None or (exchange.status and not exchange.streaming):
            raise error
        if not self._is_streamed and not exchange.streaming:
            await exchange.answer(200, orjson.dumps(form(exchange.model_id, error.message)))
            return
        text = error.message
        if not exchange.streaming:
            await exchange.start_stream()
        elif operation in (CHAT, COMPLETIONS):
            text = f"\n\n{text}"
        await exchange.finish(b"".join(self._events(operation, text)))

    def _events(self, operation: Operation, text: str) -> Iterator[bytes]:
        if operation is MESSAGES:
            yield from self._anthropic_events(text)
        elif operation is RESPONSES:
            yield from self._response_events(text)
        else:
            yield from _chunks(operation, self._exchange.model_id, text)

    def _anthropic_events(self, text: str) -> Iterator[bytes]:
        index = self._blocks
        if not self._has_message:
            message = _message(self._exchange.model_id, "") | {"content": [], "stop_reason": None}
            yield _event("message_start", message=message)
        if self._open_block is not None:
            yield _event("content_block_stop", index=self._open_block)
        yield _event("content_block_start", index=index, content_block={"type": "text", "text": ""})
        yield _event("content_block_delta", index=index, delta={"type": "text_delta", "text": text})
        yield _event("content_block_stop", index=index)
        delta = {"stop_reason": "end_turn", "stop_sequence": None}
        yield _event("message_delta", delta=delta, usage={"output_tokens": 0}, **MARK)
        yield _event("message_stop")

    def _response_events(self, text: str) -> Iterator[bytes]:
        done = _response(self._exchange.model_id, text)
        if self._response is not None:
            done = {**self._response, **{name: done[name] for name in ("status", "output", *MARK)}}
        item, part, index = done["output"][0], done["output"][0]["content"][0], self._blocks
        place = {"item_id": item["id"], "output_index": index, "content_index": 0}
        steps: list[tuple[str, Json]] = [
            ("output_item.added", {"output_index": index, "item": {**item, "status": "in_progress", "content": []}}),
            ("content_part.added", {**place, "part": {**part, "text": ""}}),
            ("output_text.delta", {**place, "delta": text, "logprobs": []}),
            ("output_text.done", {**place, "text": text, "logprobs": []}),
            ("content_part.done", {**place, "part": part}),
            ("output_item.done", {"output_index": index, "item": item}),
            ("completed", {"response": done}),
        ]
        if self._response is None:
            steps.insert(0, ("created", {"response": {**done, "status": "in_progress", "output": []}}))
        for number, (kind, fields) in enumerate(steps, self._sequence + 1):
            yield _event(f"response.{kind}", sequence_number=number, **fields)


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: ".encode() + orjson.dumps({"type": kind, **fields}) + b"\n\n"


def _chunks(operation: Operation, model: str, text: str) -> Iterator[bytes]:
    is_chat = operation is CHAT
    kind = "chat.completion.chunk" if is_chat else "text_completion"
    base = {"id": ID, "object": kind, "created": int(time.time()), "model": model, **MARK}
    said: Json = {"delta": {"role": "assistant", "content": text}} if is_chat else {"text": text}
    ended: Json = {"delta": {}} if is_chat else {"text": ""}
    for inner, reason in ((said, None), (ended, "content_filter")):
        choice = {"index": 0, **inner, "logprobs": None, "finish_reason": reason}
        yield b"data: " + orjson.dumps({**base, "choices": [choice]}) + b"\n\n"
    yield END_MARK


def _chat(model: str, text: str) -> Json:
    message = {"role": "assistant", "content": text, "refusal": None}
    return _completion("chat.completion", model, {"message": message})


def _text(model: str, text: str) -> Json:
    return _completion("text_completion", model, {"text": text})


def _completion(kind: str, model: str, inner: Json) -> Json:
    return {
        "id": ID,
        "object": kind,
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, **inner, "logprobs": None, "finish_reason": "content_filter"}],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        **MARK,
    }


def _message(model: str, text: str) -> Json:
    return {
        "id": ID,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
        **MARK,
    }


def _response(model: str, text: str) -> Json:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    item = {"id": f"msg-{ID}", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    usage = {
        "input_tokens": 0,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 0,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 0,
    }
    return {
        "id": ID,
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed",
        "model": model,
        "output": [item],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        **MARK,
    }


FORMS: dict[Operation, Callable[[str, str], Json]] = {
    CHAT: _chat,
    COMPLETIONS: _text,
    MESSAGES: _message,
    RESPONSES: _response,
}
