"""`messages/count_tokens` for models whose provider does not count."""

import asyncio
import importlib
from typing import Any

import orjson

from gateway.translate.job import Events, Job, Whole, understanding
from gateway.translate.messages import TRANSFORMATION
from gateway.translate.parts import as_text


async def count_tokens(job: Job) -> Whole | Events:
    """Counted with a tokenizer that may not be the model's: `estimated` says so."""
    with understanding("messages", "Anthropic"):
        count = await asyncio.to_thread(_count, job.library, job.call.target.litellm_model, job.call.body)
    return Whole(orjson.dumps({"input_tokens": count, "estimated": True}), is_counted=False)


def _count(library: Any, model: str, body: dict[str, Any]) -> int:
    adapter = importlib.import_module(TRANSFORMATION).LiteLLMAnthropicMessagesAdapter()
    messages = adapter.translate_anthropic_messages_to_openai(as_text(body["messages"]), model)
    if body.get("system"):
        messages = [{"role": "system", "content": body["system"]}, *messages]
    tools = adapter.translate_anthropic_tools_to_openai(body["tools"], model)[0] if body.get("tools") else None
    return int(library.token_counter(model=model, messages=messages, tools=tools, use_default_image_token_count=True))
