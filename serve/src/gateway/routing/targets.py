"""Where a model's calls go: passed through to an endpoint that speaks the caller's protocol, or translated."""

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from lisa.models.schemas import HostingType, ModelRow
from yarl import URL

from gateway.operations import Operation
from gateway.routing.providers import ANTHROPIC, COMPATIBLE, OPENAI, PROVIDERS, TRANSLATED, Provider


@dataclass(frozen=True, slots=True)
class Target:
    """A model that can be called. `provider` is None where LiteLLM translates everything; `base` is "" then."""

    row: ModelRow
    groups: frozenset[str]
    upstream_model: str
    provider: Provider | None = None
    base: str = ""
    query: str = ""

    @property
    def model_id(self) -> str:
        return self.row.model_id

    @property
    def litellm_model(self) -> str:
        """The model as LiteLLM has to name it."""
        return f"openai/{self.upstream_model}" if self._is_compatible else self.row.model_name

    @property
    def litellm_base(self) -> str | None:
        """The address for LiteLLM; None: the provider's own."""
        return self.base if self._is_compatible else self.row.model_url

    @property
    def _is_compatible(self) -> bool:
        return self.provider is not None and self.provider is not ANTHROPIC

    def url(self, path: str) -> URL:
        """The address of e.g. `/chat/completions` at an endpoint that is not translated."""
        if not self.base:
            raise ValueError("LiteLLM finds the address of this model")
        return URL(self.base + path + self.query, encoded=True)

    def speaks(self, operation: Operation) -> bool:
        """Whether calls pass through."""
        return self.provider is not None and operation in self.provider.speaks

    def may_speak(self, operation: Operation) -> bool:
        """Whether passing through is worth a try."""
        return self.provider is not None and operation in self.provider.may_speak


def target_of(row: ModelRow) -> Target:
    """Raises: ValueError when the row's address cannot be used; the message names the model only."""
    prefix, slash, name = row.model_name.partition("/")
    groups = frozenset(row.allowed_groups)
    provider = PROVIDERS.get(prefix) if slash else None
    if provider is None and row.model_url and not _is_translated(row, prefix, slash):
        provider, name = COMPATIBLE, row.model_name
    address = row.model_url or (provider.address if provider else None)
    if provider is None or address is None:
        return Target(row, groups, row.model_name)
    if row.model_url and provider is OPENAI:
        provider = COMPATIBLE  # somebody else's endpoint that speaks OpenAI's protocol, more or less
    base, query = _parts(row.model_id, address, provider)
    return Target(row, groups, name, provider, base, query)


def _is_translated(row: ModelRow, prefix: str, slash: str) -> bool:
    return row.hosting_type is HostingType.THIRD_PARTY and bool(slash) and prefix in TRANSLATED


def _parts(model_id: str, address: str, provider: Provider) -> tuple[str, str]:
    split = urlsplit(address.strip())
    if split.scheme not in ("http", "https") or not split.hostname or split.username or split.password:
        raise ValueError(f"model {model_id}: modelUrl has to be http(s)://host[:port]/path without a user name")
    path = split.path.rstrip("/")
    if not path.endswith(provider.suffix):
        path += provider.suffix
    return urlunsplit((split.scheme, split.netloc, path, "", "")), f"?{split.query}" if split.query else ""
