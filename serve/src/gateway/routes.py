"""Which path is answered by what. What is not in this table does not exist."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway import catalogue, health, inference
from gateway.exchange import Exchange
from gateway.services import Services

Handler = Callable[[Exchange, Services], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Route:
    name: str
    method: str
    handler: Handler
    is_public: bool = False


PREFIXES = ("/v1", "/v2/serve", "/v2/serve/v1")
API = (
    Route("models", "GET", catalogue.list_models),
    Route("model/info", "GET", catalogue.model_info),
    Route("chat/completions", "POST", inference.chat),
    Route("completions", "POST", inference.completions),
    Route("embeddings", "POST", inference.embeddings),
)
HEALTH = (
    Route("health", "GET", health.health, is_public=True),
    Route("health/readiness", "GET", health.readiness, is_public=True),
    Route("health/liveliness", "GET", health.liveliness, is_public=True),
)
ONE_MODEL = Route("models/{id}", "GET", catalogue.get_model)

ROUTES: dict[bytes, Route] = {
    **{f"{prefix}/{route.name}".encode(): route for prefix in PREFIXES for route in (*API, *HEALTH)},
    **{f"/{route.name}".encode(): route for route in HEALTH},
}
ONE_MODEL_PREFIXES = frozenset(f"{prefix}/models/".encode() for prefix in PREFIXES)


def route_of(raw_path: bytes) -> tuple[Route, str] | None:
    """The route of a path exactly as it was sent (no decoding, no merging of slashes, no dots), and its last segment.

    Whatever stands before us may read an unusual spelling differently; so only the one spelling is known here.
    """
    route = ROUTES.get(raw_path)
    if route is not None:
        return route, ""
    cut = raw_path.rfind(b"/") + 1
    if raw_path[:cut] in ONE_MODEL_PREFIXES and cut < len(raw_path):
        return ONE_MODEL, raw_path[cut:].decode("latin-1")
    return None
