"""Which path is answered by what. What is not in this table does not exist."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway import catalogue, health, inference, videos
from gateway.exchange import Exchange
from gateway.operations import OPERATIONS, VIDEOS, Operation, Protocol
from gateway.services import Services

Handler = Callable[[Exchange, Services], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Route:
    """`name` is its path below a prefix; `{id}` stands for one segment."""

    name: str
    method: str
    handler: Handler
    operation: Operation | None = None
    is_public: bool = False


PREFIXES = ("/v1", "/v2/serve", "/v2/serve/v1")
ANTHROPIC_PREFIXES = ("/anthropic/v1", "/v2/serve/anthropic/v1")  # for SDKs whose base address ends before /v1
CATALOGUE = (
    Route("models", "GET", catalogue.list_models),
    Route("models/{id}", "GET", catalogue.get_model),
    Route("model/info", "GET", catalogue.model_info),
)
INFERENCE = tuple(Route(operation.path[1:], "POST", inference.infer, operation) for operation in OPERATIONS)
MADE_VIDEOS = (
    Route("videos/{id}", "GET", videos.get, VIDEOS),
    Route("videos/{id}", "DELETE", videos.delete, VIDEOS),
    Route("videos/{id}/content", "GET", videos.content, VIDEOS),
    Route("videos/{id}/remix", "POST", videos.remix, VIDEOS),
)
HEALTH = (
    Route("health", "GET", health.health, is_public=True),
    Route("health/readiness", "GET", health.readiness, is_public=True),
    Route("health/liveliness", "GET", health.liveliness, is_public=True),
)
API = (*CATALOGUE, *INFERENCE, *MADE_VIDEOS, *HEALTH)
ANTHROPIC = (
    *(route for route in CATALOGUE if route.name != "model/info"),
    *(route for route in INFERENCE if route.operation and route.operation.protocol is Protocol.ANTHROPIC),
)

Methods = dict[str, Route]


def _table() -> dict[bytes, Methods]:
    table: dict[bytes, Methods] = {}
    below = [(prefix, API) for prefix in PREFIXES] + [(prefix, ANTHROPIC) for prefix in ANTHROPIC_PREFIXES]
    for prefix, routes in [*below, ("", HEALTH)]:
        for route in routes:
            table.setdefault(f"{prefix}/{route.name}".encode(), {})[route.method] = route
    return table


ROUTES = _table()
ID = b"{id}"


def route_of(raw_path: bytes) -> tuple[Methods, str] | None:
    """The routes of a path exactly as it was sent (no decoding, no merging of slashes, no dots), and the id in it.

    Whatever stands before us may read an unusual spelling differently; so only the one spelling is known here.
    """
    methods = ROUTES.get(raw_path)
    if methods is not None:
        return methods, ""
    segments = raw_path.split(b"/")
    for place in (-1, -2):  # the id is the last segment, or the one before
        if len(segments) > 2 and segments[place]:
            name, segments[place] = segments[place], ID
            methods = ROUTES.get(b"/".join(segments))
            if methods is not None and name != ID:
                return methods, name.decode("latin-1")
            segments[place] = name
    return None
