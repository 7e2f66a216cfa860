"""Pictures and files for translated models: only inline.

LiteLLM fetches addresses that callers write; from inside our network that would open it to them.
"""

from typing import Any

from lisa.errors import BadRequestError

ADDRESSES = frozenset(
    {"url", "image_url", "video_url", "audio_url", "file_url", "file_id", "file_data", "file_uri", "uri"}
)
# What is text to LiteLLM, or the arguments of a tool, whose names are the caller's.
OPAQUE = frozenset({"text", "input", "arguments", "annotations", "citations"})


def refuse_remote_media(body: dict[str, Any]) -> None:
    """Raises: BadRequestError when a content part names an address other than a `data:` URL."""
    for name in ("messages", "input", "system"):
        given = body.get(name)
        for item in given if isinstance(given, list) else ():
            if isinstance(item, dict):
                _check_item(item)


def _check_item(item: dict[str, Any]) -> None:
    """A message, or an item of `responses` that is a part itself: what a tool answered, a picture."""
    for name in ("content", "output"):
        if isinstance(item.get(name), list):
            _check(item[name])
    if "role" not in item:
        _check({name: value for name, value in item.items() if name not in ("content", "output")})


def _check(value: Any) -> None:
    if isinstance(value, list):
        for inner in value:
            _check(inner)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name in ADDRESSES and isinstance(inner, str):
                if not inner.startswith("data:"):
                    raise BadRequestError("This model takes pictures and files inline only: send a `data:` URL.")
            elif name not in OPAQUE:
                _check(inner)
