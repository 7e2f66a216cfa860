"""Amazon Bedrock's runtime: Converse and InvokeModel, streamed and not, for Anthropic's models and Titan's embeddings.

The end of a model's id says how it behaves, as in `anthropic.throttled`. botocore itself is the judge, see
`test_aws_fakes.py`.
"""

import asyncio
import base64
import json
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from tests.gateway.aws_wire import AwsService, error, event, exception

WORDS = ("Bon", "jour", " !")
TOOL_INPUT = {"city": "Zürich"}


class FakeBedrock(AwsService):
    name = "bedrock"

    async def answer(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        _, models, model, action = request.raw_path.split("/")
        model = unquote(model)
        if models != "model":
            return error(404, "UnknownOperationException", "")
        behaviour = model.rpartition(".")[2]
        if behaviour == "throttled":
            return error(429, "ThrottlingException", "Too many requests, please wait before trying again.")
        if behaviour == "invalid":
            return error(400, "ValidationException", "The provided model identifier is invalid.")
        if behaviour == "denied":
            return error(403, "AccessDeniedException", "You don't have access to the model with the specified ID.")
        if behaviour == "hang":
            await asyncio.sleep(60)
        has_tools = bool(body.get("tools") or body.get("toolConfig")) and "sunny" not in json.dumps(body)
        if action == "converse":
            return web.json_response(_converse(has_tools))
        if action == "converse-stream":
            return await self.stream(request, _broken(_converse_stream(has_tools), behaviour), behaviour)
        if model.startswith("amazon.titan-embed"):
            return _counted(_titan(body))
        if action == "invoke":
            return _counted(_message(body, has_tools))
        if action == "invoke-with-response-stream":
            return await self.stream(request, _broken(_message_stream(body, has_tools), behaviour), behaviour)
        return error(404, "UnknownOperationException", "")


def _broken(messages: list[bytes], behaviour: str) -> list[bytes]:
    if behaviour == "overloaded":
        return [*messages[:3], exception("throttlingException", "Too many tokens, please wait before trying again.")]
    if behaviour == "failing":
        return [*messages[:3], exception("modelStreamErrorException", "The model has ended unexpectedly.")]
    return messages


def _counted(answer: dict[str, Any]) -> web.Response:
    return web.json_response(
        answer, headers={"X-Amzn-Bedrock-Input-Token-Count": "11", "X-Amzn-Bedrock-Output-Token-Count": "5"}
    )


CONVERSE_USAGE = {"inputTokens": 11, "outputTokens": 5, "totalTokens": 16}


def _converse(has_tools: bool) -> dict[str, Any]:
    tool = {"toolUse": {"toolUseId": "tooluse_1", "name": "weather", "input": TOOL_INPUT}}
    content = [tool] if has_tools else [{"text": "Bonjour !"}]
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": "tool_use" if has_tools else "end_turn",
        "usage": CONVERSE_USAGE,
        "metrics": {"latencyMs": 7},
    }


def _converse_stream(has_tools: bool) -> list[bytes]:
    if has_tools:
        text = json.dumps(TOOL_INPUT)
        start = {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "tooluse_1", "name": "weather"}}}
        pieces = [
            event("contentBlockStart", start),
            *(
                event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"toolUse": {"input": half}}})
                for half in (text[:7], text[7:])
            ),
        ]
    else:
        pieces = [event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": word}}) for word in WORDS]
    return [
        event("messageStart", {"role": "assistant"}),
        *pieces,
        event("contentBlockStop", {"contentBlockIndex": 0}),
        event("messageStop", {"stopReason": "tool_use" if has_tools else "end_turn"}),
        event("metadata", {"usage": CONVERSE_USAGE, "metrics": {"latencyMs": 7}}),
    ]


USAGE = {"input_tokens": 11, "output_tokens": 5}
CACHED_USAGE = {**USAGE, "cache_read_input_tokens": 100}
THOUGHT = {"type": "thinking", "thinking": "They greet.", "signature": "signed"}
TEXT = {"type": "text", "text": "".join(WORDS)}
TOOL = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": TOOL_INPUT}


def _message(body: dict[str, Any], has_tools: bool) -> dict[str, Any]:
    """Anthropic's Messages answer, as InvokeModel passes it on."""
    return {
        "id": "msg_bdrk_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-3-haiku-20240307",
        "content": [*([THOUGHT] if body.get("thinking") else []), TOOL if has_tools else TEXT],
        "stop_reason": "tool_use" if has_tools else "end_turn",
        "stop_sequence": None,
        "usage": CACHED_USAGE if "cache_control" in json.dumps(body) else USAGE,
    }


def _message_stream(body: dict[str, Any], has_tools: bool) -> list[bytes]:
    """What was read from the cache is told at the beginning only, as in GovCloud; LiteLLM's comments say so."""

    def chunk(kind: str, **fields: Any) -> bytes:
        inner = json.dumps({"type": kind, **fields}).encode()
        return event("chunk", {"bytes": base64.b64encode(inner).decode(), "p": "abcdef"})

    message = _message(body, has_tools)
    start = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 1}}
    pieces = []
    for index, block in enumerate(message["content"]):
        empty, deltas = _block(block)
        pieces += [
            chunk("content_block_start", index=index, content_block=empty),
            *(chunk("content_block_delta", index=index, delta=delta) for delta in deltas),
            chunk("content_block_stop", index=index),
        ]
    metrics = {"inputTokenCount": 11, "outputTokenCount": 5, "invocationLatency": 9, "firstByteLatency": 3}
    return [
        chunk("message_start", message=start),
        *pieces,
        chunk(
            "message_delta",
            delta={"stop_reason": message["stop_reason"], "stop_sequence": None},
            usage={"output_tokens": 5},
        ),
        chunk("message_stop", **{"amazon-bedrock-invocationMetrics": metrics}),
    ]


def _block(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """How a content block begins in a stream, and the deltas that follow."""
    if block["type"] == "thinking":
        thought = {"type": "thinking_delta", "thinking": block["thinking"]}
        return {**block, "thinking": "", "signature": ""}, [thought, {"type": "signature_delta", "signature": "signed"}]
    if block["type"] == "tool_use":
        text = json.dumps(block["input"])
        return {**block, "input": {}}, [
            {"type": "input_json_delta", "partial_json": half} for half in (text[:7], text[7:])
        ]
    return {**block, "text": ""}, [{"type": "text_delta", "text": word} for word in WORDS]


def _titan(body: dict[str, Any]) -> dict[str, Any]:
    size = int(body.get("dimensions") or 3)
    vector = [float(len(body["inputText"]))] + [0.5] * (size - 1)
    return {"embedding": vector, "embeddingsByType": {"float": vector}, "inputTextTokenCount": 2}
