"""Pictures and files in messages to translated models: only inline.

LiteLLM fetches addresses that callers write; from inside our network that would open it to them.
"""

from typing import Any

from lisa.errors import BadRequestError

ADDRESSES = frozenset(
    {"url", "image_url", "video_url", "audio_url", "file_url", "file_id", "file_data", "file_uri", "uri"}
)


def refuse_remote_media(body: dict[str, Any]) -> None:
    """Raises: BadRequestError when a content part names an address other than a `data:` URL."""
    for message in body.get("messages", ()):
        content = message.get("content")
        if isinstance(content, list):
            for part in content:
                _check(part)


def _check(value: Any) -> None:
    if isinstance(value, list):
        for inner in value:
            _check(inner)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name in ADDRESSES and isinstance(inner, str):
                if not inner.startswith("data:"):
                    raise BadRequestError("This model takes pictures and files inline only: send a `data:` URL.")
            elif name != "text":
                _check(inner)
