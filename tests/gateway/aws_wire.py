"""What AWS's services have in common on the wire: signatures, errors, event streams."""

import asyncio
import json
import os
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

TEXT = 7  # the type of a header's value in an event stream


def frame(payload: bytes, **headers: str) -> bytes:
    """One message of `application/vnd.amazon.eventstream`: prelude, its CRC, headers, payload, CRC of all that."""
    packed = b"".join(
        struct.pack("!B", len(name) + 1) + f":{name}".encode() + struct.pack("!BH", TEXT, len(value)) + value.encode()
        for name, value in ((name.replace("_", "-"), value) for name, value in headers.items())
    )
    prelude = struct.pack("!II", 12 + len(packed) + len(payload) + 4, len(packed))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + packed + payload
    return message + struct.pack("!I", zlib.crc32(message))


def event(kind: str, payload: bytes | dict[str, Any]) -> bytes:
    if isinstance(payload, bytes):
        return frame(payload, message_type="event", event_type=kind, content_type="application/octet-stream")
    body = json.dumps(payload).encode()
    return frame(body, message_type="event", event_type=kind, content_type="application/json")


def exception(kind: str, message: str) -> bytes:
    """An error in the middle of a stream."""
    body = json.dumps({"message": message, "Message": message}).encode()  # services differ
    return frame(body, message_type="exception", exception_type=kind, content_type="application/json")


def error(status: int, kind: str, message: str, **more: Any) -> web.Response:
    """An error in place of an answer."""
    return web.json_response({"message": message, **more}, status=status, headers={"x-amzn-ErrorType": kind})


@dataclass
class Seen:
    """What arrived; `refused` counts requests whose signature was wrong."""

    paths: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    refused: int = 0
    cancelled: int = 0

    @property
    def body(self) -> dict[str, Any]:
        return self.bodies[-1]


class AwsService:
    """Checks signatures as AWS does, with the credentials of this process. A subclass answers."""

    name = ""

    def __init__(self) -> None:
        self.seen = Seen()
        self.application = web.Application(client_max_size=64 * 1024 * 1024)
        self.application.router.add_post("/{path:.*}", self._handle)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        if not self._is_signed(request, raw):
            self.seen.refused += 1
            return error(403, "InvalidSignatureException", "The request signature we calculated does not match.")
        self.seen.paths.append(request.raw_path)
        self.seen.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.seen.bodies.append(json.loads(raw))
        try:
            return await self.answer(request, self.seen.body)
        except asyncio.CancelledError:
            self.seen.cancelled += 1
            raise

    async def answer(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        raise NotImplementedError

    def _is_signed(self, request: web.Request, raw: bytes) -> bool:
        """Whether the signature is the one that botocore computes over the path, the headers and the body's hash."""
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
        if scheme != "AWS4-HMAC-SHA256" or "Signature" not in fields:
            return False
        key, _, region, service, _ = fields["Credential"].split("/")
        signed = fields["SignedHeaders"].split(";")
        if key != os.environ["AWS_ACCESS_KEY_ID"] or service != self.name or "host" not in signed:
            return False
        headers = {name: request.headers[name] for name in signed}
        again = AWSRequest("POST", f"http://{request.host}{request.raw_path}", headers, raw)
        again.context["timestamp"] = request.headers["X-Amz-Date"]
        secret = os.environ["AWS_SECRET_ACCESS_KEY"]
        auth = SigV4Auth(Credentials(key, secret, os.environ.get("AWS_SESSION_TOKEN")), service, region)
        text = auth.string_to_sign(again, auth.canonical_request(again))
        return bool(auth.signature(text, again) == fields["Signature"])

    async def stream(self, request: web.Request, messages: list[bytes], behaviour: str) -> web.StreamResponse:
        """Sends messages one by one; `behaviour` says what goes wrong after the third."""
        response = web.StreamResponse(headers={"Content-Type": "application/vnd.amazon.eventstream"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        for number, message in enumerate(messages):
            if number == 3:
                if behaviour == "cut":
                    await response.write(message[: len(message) // 2])
                    await asyncio.sleep(0.05)
                    assert request.transport is not None
                    request.transport.close()
                    return response
                if behaviour == "endless":
                    await asyncio.sleep(60)
                if behaviour == "short":  # ends in order, but in the middle
                    break
                if behaviour == "corrupt":
                    message = message[:-9] + b"#" + message[-8:]
            if behaviour == "dribble":
                for start in range(0, len(message), 11):
                    await response.write(message[start : start + 11])
                    await asyncio.sleep(0)
            else:
                await response.write(message)
                await asyncio.sleep(0.005)
        await response.write_eof()
        return response
