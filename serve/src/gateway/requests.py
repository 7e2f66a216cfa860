"""What a caller may ask: a JSON object with a model, without fields that could redirect the call."""

# ruff: noqa: SIM905 - lists of words read best as text

from dataclasses import dataclass
from typing import Any

import orjson
from lisa.errors import BadRequestError


@dataclass(frozen=True, slots=True)
class Operation:
    """A call that upstreams answer. `required` names the field without which it makes no sense."""

    path: str
    required: str
    is_groundable: bool = False


CHAT = Operation("/chat/completions", "messages", is_groundable=True)
COMPLETIONS = Operation("/completions", "prompt")
EMBEDDINGS = Operation("/embeddings", "input")

# Keys that tell LiteLLM, or a proxy like it behind us, to call somewhere else or as somebody else; compared without
# case, `_` and `-`.
REDIRECTING = frozenset(
    "apibase apikey apitype apiversion basemodel baseurl customllmprovider defaultheaders deploymentid"
    " endpointurl extraheaders extraquery fallbacks headers httpclient mockresponse modellist"
    " proxyserverrequest requestheaders sslverify userconfig".split()
)
REDIRECTING_PREFIXES = ("aws", "azure", "vertex", "watsonx", "sagemaker", "litellm")
# What callers write for the model itself: names in there are theirs.
CONTENT = frozenset(
    "function_call functions input lisa logit_bias messages model prediction prompt response_format stop"
    " suffix tool_choice tools user".split()
)
PLAIN = frozenset(
    "dimensions echo encoding_format frequency_penalty logprobs max_completion_tokens max_tokens n"
    " parallel_tool_calls presence_penalty reasoning_effort seed service_tier store stream temperature top_k"
    " top_logprobs top_p".split()
)
MAX_DEPTH = 8


def parse(raw: bytes, operation: Operation) -> dict[str, Any]:
    """The body of a call.

    Raises: BadRequestError that says what to change.
    """
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"The body is not valid JSON: line {error.lineno}, column {error.colno}.") from None
    if not isinstance(body, dict):
        raise BadRequestError("The body has to be a JSON object.")
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise BadRequestError("`model` is missing. Name one that GET /v1/models lists.")
    if body.get(operation.required) is None:
        raise BadRequestError(f"`{operation.required}` is missing.")
    if operation is CHAT:
        messages = body["messages"]
        if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
            raise BadRequestError("`messages` has to be a list of one or more objects.")
    if not isinstance(body.get("stream"), bool | None):
        raise BadRequestError("`stream` has to be true or false.")
    for name, value in body.items():
        if name not in PLAIN and name not in CONTENT:
            _refuse_redirection(name, value, MAX_DEPTH)
    return body


def encoded(body: dict[str, Any]) -> bytes:
    """The body for an upstream. Raises: BadRequestError for one that is nested deeper than orjson writes."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError as error:
        raise BadRequestError("The body is nested too deeply.") from error


def _refuse_redirection(name: str, value: Any, depth: int) -> None:
    plain = name.lower().replace("_", "").replace("-", "")
    if plain in REDIRECTING or plain.startswith(REDIRECTING_PREFIXES):
        raise BadRequestError(f"`{name[:64]}` is not allowed: where a call goes is part of the model's registration.")
    if depth == 0:
        raise BadRequestError(f"`{name[:64]}` is nested too deeply.")
    if isinstance(value, dict):
        for inner_name, inner in value.items():
            _refuse_redirection(inner_name, inner, depth - 1)
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, dict | list):
                _refuse_redirection("", inner, depth - 1)
