"""Ids of videos that also tell which model made them, since the routes to a video name no model.

An id is random at its provider, so whoever has one was told; the model's groups hold beside that.
"""

import base64
import binascii
import re

import orjson
from lisa.errors import NotFoundError, UpstreamError

PREFIX = "video_"
_ID = re.compile(r"(?!\.+$)[\w.:~=-]{1,256}", re.ASCII)  # it becomes a part of a path: no slash in it, and no `..`


def encode(model_id: str, upstream_id: str) -> str:
    packed = base64.urlsafe_b64encode(orjson.dumps([model_id, upstream_id])).decode().rstrip("=")
    return PREFIX + packed


def decode(video_id: str) -> tuple[str, str]:
    """The model's id and the provider's id of the video. Raises: NotFoundError."""
    packed = video_id.removeprefix(PREFIX)
    try:
        model_id, upstream_id = orjson.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    except (binascii.Error, orjson.JSONDecodeError, ValueError, TypeError):
        raise unknown() from None
    if not isinstance(model_id, str) or not isinstance(upstream_id, str) or not _ID.fullmatch(upstream_id):
        raise unknown()
    return model_id, upstream_id


def unknown() -> NotFoundError:
    return NotFoundError("There is no such video. Use the `id` that POST /v1/videos answered with.")


def with_our_ids(answer: bytes, model_id: str) -> bytes:
    """A provider's answer about a video with ids that lead back to it. Raises: UpstreamError."""
    try:
        body = orjson.loads(answer)
        for name in ("id", "remixed_from_video_id"):
            if isinstance(body.get(name), str):
                body[name] = encode(model_id, body[name])
    except (orjson.JSONDecodeError, AttributeError) as error:
        raise UpstreamError("The model's endpoint did not answer with a JSON object.") from error
    return orjson.dumps(body)
