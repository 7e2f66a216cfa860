"""What a translation works with, what it may tell LiteLLM, and what it makes."""

import contextlib
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

from lisa.errors import BadRequestError

from gateway.call import Call
from gateway.exchange import JSON
from gateway.routing.providers import ANTHROPIC

Events = AsyncGenerator[bytes]
"""Server-sent events, each whole."""

# What code raises that reads something in another form than it expects.
STUMBLES = (AttributeError, IndexError, KeyError, TypeError, ValueError)
NO_KEY = "none"  # OpenAI's SDK, inside LiteLLM, insists on a key


@contextlib.contextmanager
def understanding(field: str, whose: str) -> Iterator[None]:
    """For reading what the caller wrote. Raises: BadRequestError where LiteLLM stumbles over it."""
    try:
        yield
    except STUMBLES as error:
        raise BadRequestError(f"`{field}` or what belongs to it is not in the form of {whose}'s protocol.") from error


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer that is not streamed; `is_counted` when the meter is to look for usage in it."""

    body: bytes
    content_type: bytes = JSON
    is_counted: bool = True


@dataclass(frozen=True, slots=True)
class Job:
    """`model_id` is what the caller calls the model."""

    library: Any
    call: Call
    model_id: str
    seconds: float

    @property
    def provider(self) -> str:
        """LiteLLM's name of the provider. Raises: litellm's BadRequestError when it knows none."""
        return str(self.library.get_llm_provider(model=self.call.target.litellm_model)[1])

    @property
    def is_by_claude(self) -> bool:
        """Whether LiteLLM has to write Anthropic's protocol; Bedrock has one of its own."""
        provider = self.provider
        hosts = provider in ("azure_ai", "vertex_ai") and "claude" in self.call.target.litellm_model
        return provider == "anthropic" or hosts

    def arguments(self, allowed: frozenset[str]) -> dict[str, Any]:
        """Keywords for one of LiteLLM's functions, which take addresses, keys and callbacks among their parameters.

        So only those of the caller's fields that are `allowed`; the rest is the registration's.
        """
        return {
            **{name: value for name, value in self.call.body.items() if name in allowed and value is not None},
            **_endpoint(self.call),
            "model": self.call.target.litellm_model,
            "timeout": self.seconds,
            "max_retries": 0,
            "num_retries": 0,
        }

    def refuse(self, field: str, reason: str) -> BadRequestError:
        return BadRequestError(f"`{field}`: {reason}")


def _endpoint(call: Call) -> dict[str, Any]:
    """Address and key, under the names that each provider has for them in LiteLLM."""
    target = call.target
    key, base = call.provider_key or None, target.litellm_base
    prefix = target.litellm_model.partition("/")[0]
    if target.provider is ANTHROPIC:
        return {"api_key": key, "api_base": f"{target.base}/messages" if target.row.model_url else None}
    if target.provider is not None:
        return {"api_key": key or NO_KEY, "api_base": base}
    if base is None:
        return {"api_key": key}
    if prefix.startswith("bedrock"):
        return {"api_key": key, "aws_bedrock_runtime_endpoint": base}
    if prefix.startswith("sagemaker"):
        return {"sagemaker_base_url": _sagemaker(base, target.litellm_model, call.is_streamed)}
    if prefix.startswith("azure"):
        return {"api_key": key, **_azure(base)}
    return {"api_key": key, "api_base": base}


def _sagemaker(base: str, model: str, is_streamed: bool) -> str:
    """LiteLLM takes the whole address of an endpoint's action; here SageMaker's base (a VPC endpoint's) is enough."""
    action = "invocations-response-stream" if is_streamed else "invocations"
    return f"{base.rstrip('/')}/endpoints/{quote(model.partition('/')[2], safe='')}/{action}"


def _azure(address: str) -> dict[str, Any]:
    """Azure's addresses carry the version of its API: `https://name.openai.azure.com?api-version=2024-10-21`."""
    split = urlsplit(address)
    version = parse_qs(split.query).get("api-version")
    base = urlunsplit((split.scheme, split.netloc, split.path.rstrip("/"), "", ""))
    return {"api_base": base, **({"api_version": version[0]} if version else {})}
