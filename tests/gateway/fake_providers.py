"""Azure's pictures, sound and films, and Cohere's vectors and ranks: LiteLLM translates everything for them."""

import json
from typing import Any

from aiohttp import web

from tests.gateway.seen import Seen

PNG = "iVBORw0KGgo="
SOUND = b"ID3 a sound"
FILM = b"ftyp a film"
AZURE = "/openai/deployments/{deployment}"


class FakeProviders:
    def __init__(self) -> None:
        self.seen = Seen()
        self.application = web.Application(client_max_size=64 * 1024 * 1024)
        routes = {
            f"{AZURE}/images/generations": self._images,
            f"{AZURE}/images/edits": self._images,
            f"{AZURE}/audio/speech": self._speech,
            f"{AZURE}/audio/transcriptions": self._transcription,
            "/openai/v1/videos": self._video,
            "/openai/v1/videos/video_up/remix": self._remix,
            "/v2/embed": self._embed,
            "/v2/rerank": self._rerank,
        }
        for path, handler in routes.items():
            self.application.router.add_post(path, self._noting(handler))
        self.application.router.add_get("/openai/v1/videos/video_up", self._noting(self._video))
        self.application.router.add_get("/openai/v1/videos/video_up/content", self._noting(self._film))
        self.application.router.add_route("*", "/{path:.*}", self._noting(self._unknown))

    def _noting(self, handler: Any) -> Any:
        async def note(request: web.Request) -> web.StreamResponse:
            self.seen.paths.append(request.path_qs)
            self.seen.headers.append({name.lower(): value for name, value in request.headers.items()})
            self.seen.bodies.append(await _fields(request))
            if self.seen.body.get("prompt") == "forbidden" or self.seen.body.get("input") == "forbidden":
                error = {"error": {"message": "not a picture of that", "code": "content_policy_violation"}}
                return web.json_response(error, status=400)
            return await handler(self.seen.body)  # type: ignore[no-any-return]

        return note

    async def _unknown(self, _: dict[str, Any]) -> web.Response:
        return web.json_response({"error": {"message": "no such path " + self.seen.paths[-1]}}, status=404)

    async def _images(self, _: dict[str, Any]) -> web.Response:
        return web.json_response({"created": 1_700_000_000, "data": [{"b64_json": PNG}]})

    async def _speech(self, _: dict[str, Any]) -> web.Response:
        return web.Response(body=SOUND, content_type="audio/mpeg")

    async def _transcription(self, body: dict[str, Any]) -> web.Response:
        if body.get("response_format") == "text":
            return web.Response(text="Grüezi mitenand\n")
        return web.json_response({"text": "Grüezi mitenand"})

    async def _video(self, body: dict[str, Any]) -> web.Response:
        fields = {"id": "video_up", "object": "video", "status": "queued", "created_at": 1_700_000_000}
        return web.json_response({**fields, "model": body.get("model"), "progress": 0, "seconds": "4"})

    async def _remix(self, _: dict[str, Any]) -> web.Response:
        fields = {"id": "video_like_it", "object": "video", "status": "queued", "created_at": 1_700_000_000}
        return web.json_response({**fields, "model": "sora-2", "remixed_from_video_id": "video_up"})

    async def _film(self, _: dict[str, Any]) -> web.Response:
        return web.Response(body=FILM, content_type="video/mp4")

    async def _embed(self, body: dict[str, Any]) -> web.Response:
        vectors = [[float(len(text)), 0.5] for text in body["texts"]]
        return web.json_response(
            {"id": "e", "embeddings": {"float": vectors}, "meta": {"billed_units": {"input_tokens": 9}}}
        )

    async def _rerank(self, body: dict[str, Any]) -> web.Response:
        results = [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]
        return web.json_response(
            {"id": "r", "results": results[: body.get("top_n", 9)], "meta": {"billed_units": {"search_units": 1}}}
        )


async def _fields(request: web.Request) -> dict[str, Any]:
    """Of a form: the texts, and of each file its name, type and size."""
    if request.content_type == "application/json":
        return dict(json.loads(await request.text()))
    if request.method == "GET":
        return {}
    fields: dict[str, Any] = {}
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            fields[name] = (value.filename, value.content_type, len(value.file.read()))
        else:
            fields[name] = value
    return fields
