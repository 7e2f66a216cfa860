"""What the providers behind LiteLLM's prefixes speak natively. A provider is a line here."""

# ruff: noqa: SIM905 - lists of words read best as text

from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.operations import (
    CHAT,
    COMPLETIONS,
    COUNT_TOKENS,
    EMBEDDINGS,
    IMAGE_EDITS,
    IMAGES,
    MESSAGES,
    OPERATIONS,
    RERANK,
    RESPONSES,
    SPEECH,
    TRANSCRIPTIONS,
    VIDEOS,
    Operation,
    Protocol,
)


class KeyHeader(StrEnum):
    """How an upstream wants its key."""

    BEARER = "Authorization"
    X_API_KEY = "x-api-key"


@dataclass(frozen=True, slots=True)
class Provider:
    """An endpoint whose protocol we need not translate.

    `speaks` is passed through; `may_speak` too, until the endpoint answers that it knows no such path. `address` is
    its own, where it has one; `suffix` belongs to the path, and LiteLLM's users leave it out of the address.
    """

    speaks: frozenset[Operation]
    may_speak: frozenset[Operation] = frozenset()
    address: str | None = None
    suffix: str = ""
    key_header: KeyHeader = KeyHeader.BEARER


_OPENAI = frozenset(operation for operation in OPERATIONS if operation.protocol is Protocol.OPENAI)
# Every server that calls itself compatible has the first; what it has of the others, only it can tell.
COMPATIBLE = Provider(
    speaks=frozenset({CHAT, COMPLETIONS, EMBEDDINGS, IMAGES, IMAGE_EDITS, SPEECH, TRANSCRIPTIONS, VIDEOS, RERANK}),
    may_speak=frozenset({RESPONSES, MESSAGES, COUNT_TOKENS}),
)
OPENAI = Provider(speaks=_OPENAI - {RERANK}, address="https://api.openai.com/v1")
OLLAMA = replace(COMPATIBLE, suffix="/v1")
ANTHROPIC = Provider(
    speaks=frozenset({MESSAGES, COUNT_TOKENS}),
    address="https://api.anthropic.com/v1",
    suffix="/v1",
    key_header=KeyHeader.X_API_KEY,
)

PROVIDERS: dict[str, Provider] = {
    "openai": OPENAI,
    "text-completion-openai": OPENAI,
    "custom_openai": COMPATIBLE,
    "openai_like": COMPATIBLE,
    "hosted_vllm": COMPATIBLE,
    "ollama": OLLAMA,
    "ollama_chat": OLLAMA,
    "llamafile": COMPATIBLE,
    "lm_studio": COMPATIBLE,
    "litellm_proxy": COMPATIBLE,
    "xinference": COMPATIBLE,
    "anthropic": ANTHROPIC,
}
# Prefixes of which LiteLLM translates everything, also where the model has an address of its own. Any other prefix
# beside an address is part of the name, as in `meta-llama/Llama-3.1-8B`.
TRANSLATED = frozenset(
    "ai21 anthropic_text azure azure_ai azure_text bedrock bedrock_converse bedrock_mantle cohere"
    " cohere_chat databricks gemini huggingface jina_ai nlp_cloud oci palm petals predibase replicate"
    " sagemaker sagemaker_chat snowflake triton vertex_ai vertex_ai_beta voyage watsonx watsonx_text".split()
)
