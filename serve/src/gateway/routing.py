"""Where calls for a model go: an endpoint that speaks OpenAI's protocol, or a provider that LiteLLM translates for."""

# ruff: noqa: SIM905 - lists of words read best as text

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from lisa.models.schemas import HostingType, ModelRow
from yarl import URL

# LiteLLM's prefixes for endpoints that speak OpenAI's protocol; the prefix is not part of the upstream's model name.
# A prefix with an address of its own needs no modelUrl.
OPENAI_SPEAKERS: dict[str, str | None] = {
    "openai": "https://api.openai.com/v1",
    "text-completion-openai": "https://api.openai.com/v1",
    "custom_openai": None,
    "openai_like": None,
    "hosted_vllm": None,
    "ollama": None,
    "ollama_chat": None,
    "llamafile": None,
    "lm_studio": None,
    "litellm_proxy": None,
    "xinference": None,
}
OLLAMA = ("ollama", "ollama_chat")
# Prefixes that need translation even where the model has an address of its own. Any other prefix beside an address is
# part of the name, as in `meta-llama/Llama-3.1-8B`.
TRANSLATED = frozenset(
    "ai21 anthropic anthropic_text azure azure_ai azure_text bedrock bedrock_converse bedrock_mantle cohere"
    " cohere_chat databricks gemini huggingface jina_ai nlp_cloud oci palm petals predibase replicate"
    " sagemaker sagemaker_chat snowflake triton vertex_ai vertex_ai_beta voyage watsonx watsonx_text".split()
)


@dataclass(frozen=True, slots=True)
class Target:
    """A model that can be called. `base` is None where LiteLLM translates."""

    row: ModelRow
    groups: frozenset[str]
    upstream_model: str
    base: str | None
    query: str = ""

    @property
    def model_id(self) -> str:
        return self.row.model_id

    def url(self, path: str) -> URL:
        """The address of e.g. `/chat/completions` at an endpoint that speaks OpenAI's protocol."""
        if self.base is None:
            raise ValueError("LiteLLM finds the address of this model")
        return URL(self.base + path + self.query, encoded=True)


def target_of(row: ModelRow) -> Target:
    """Raises: ValueError when the row's address cannot be used; the message names the model only."""
    prefix, slash, name = row.model_name.partition("/")
    groups = frozenset(row.allowed_groups)
    if slash and prefix in OPENAI_SPEAKERS:
        address = row.model_url or OPENAI_SPEAKERS[prefix]
        if address is not None:
            base, query = _parts(row.model_id, address, is_ollama=prefix in OLLAMA)
            return Target(row, groups, name, base, query)
    elif row.model_url and (row.hosting_type is not HostingType.THIRD_PARTY or prefix not in TRANSLATED or not slash):
        base, query = _parts(row.model_id, row.model_url)
        return Target(row, groups, row.model_name, base, query)
    return Target(row, groups, row.model_name, None)


def _parts(model_id: str, address: str, is_ollama: bool = False) -> tuple[str, str]:
    split = urlsplit(address.strip())
    if split.scheme not in ("http", "https") or not split.hostname or split.username or split.password:
        raise ValueError(f"model {model_id}: modelUrl has to be http(s)://host[:port]/path without a user name")
    path = split.path.rstrip("/")
    if is_ollama and not path:
        path = "/v1"  # Ollama's own address, as LiteLLM takes it, is not the one of its OpenAI protocol
    return urlunsplit((split.scheme, split.netloc, path, "", "")), f"?{split.query}" if split.query else ""
