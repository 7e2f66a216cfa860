"""The rest of OpenAI's protocol at the fake upstream: responses, pictures, sound, films, reranking; and Anthropic's,
which some servers speak beside it (vLLM does)."""

import json
from typing import Any

from aiohttp import web

from tests.gateway.seen import Seen

SOUND = bytes(range(256)) * 300
FILM = b"\x00\x00\x00\x20ftypisom" + bytes(5000)
PICTURE = "iVBORw0KGgo="
RESPONSE_USAGE = {
    "input_tokens": 6,
    "output_tokens": 2,
    "total_tokens": 8,
    "input_tokens_details": {"cached_tokens": 1},
    "output_tokens_details": {"reasoning_tokens": 0},
}


def add_media(application: web.Application, seen: Seen) -> None:
    """Adds the routes; what arrives is kept in `seen`."""

    async def noted(request: web.Request) -> dict[str, Any]:
        if request.content_type == "multipart/form-data":
            form = await request.post()
            body: dict[str, Any] = {
                name: value.file.read() if isinstance(value, web.FileField) else value for name, value in form.items()
            }
        else:
            body = json.loads(await request.text() or "{}")
        seen.bodies.append(body)
        seen.headers.append({name.lower(): value for name, value in request.headers.items()})
        seen.paths.append(request.path_qs)
        return body

    async def responses(request: web.Request) -> web.StreamResponse:
        body = await noted(request)
        answer = _response(body["model"], "completed", [_message()])
        if not body.get("stream"):
            return web.json_response(answer)
        begun = _response(body["model"], "in_progress", [])
        item = {"output_index": 0, "item_id": "msg_1", "content_index": 0}
        return await _events(
            request,
            [
                {"type": "response.created", "response": begun},
                {"type": "response.output_item.added", "output_index": 0, "item": {**_message(), "content": []}},
                {"type": "response.content_part.added", "part": {**_part(), "text": ""}, **item},
                {"type": "response.output_text.delta", "delta": "Bon", "logprobs": [], **item},
                {"type": "response.output_text.delta", "delta": "jour", "logprobs": [], **item},
                {"type": "response.completed", "response": answer},
            ],
        )

    async def messages(request: web.Request) -> web.StreamResponse:
        body = await noted(request)
        start = _anthropic_message(body["model"], [], {"input_tokens": 9, "output_tokens": 1})
        whole = _anthropic_message(
            body["model"], [{"type": "text", "text": "Bonjour"}], {"input_tokens": 9, "output_tokens": 3}
        )
        if not body.get("stream"):
            return web.json_response(whole)
        return await _events(
            request,
            [
                {"type": "message_start", "message": start},
                {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Bonjour"}},
                {"type": "content_block_stop", "index": 0},
                {
                    "type": "message_delta",
                    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                    "usage": {"output_tokens": 3},
                },
                {"type": "message_stop"},
            ],
        )

    async def count_tokens(request: web.Request) -> web.Response:
        await noted(request)
        return web.json_response({"input_tokens": 9})

    async def images(request: web.Request) -> web.Response:
        await noted(request)
        return web.json_response({"created": 1_700_000_000, "data": [{"b64_json": PICTURE}]})

    async def speech(request: web.Request) -> web.StreamResponse:
        await noted(request)
        response = web.StreamResponse(headers={"Content-Type": "audio/mpeg"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        for start in range(0, len(SOUND), 10_000):
            await response.write(SOUND[start : start + 10_000])
        await response.write_eof()
        return response

    async def transcriptions(request: web.Request) -> web.Response:
        body = await noted(request)
        if body.get("response_format") == "text":
            return web.Response(text="hello\n")
        if body.get("response_format") == "verbose_json":
            return web.json_response({"task": "transcribe", "language": "english", "duration": 8.5, "text": "hello"})
        return web.json_response({"text": f"{len(body['file'])} bytes"})

    async def videos(request: web.Request) -> web.Response:
        body = await noted(request)
        return web.json_response(_video("vid-1", body.get("model") or "film"))

    async def video(request: web.Request) -> web.Response:
        await noted(request)
        if request.method == "DELETE":
            return web.json_response({"id": "vid-1", "object": "video.deleted", "deleted": True})
        return web.json_response(_video("vid-1", "film") | {"status": "completed", "progress": 100})

    async def film(request: web.Request) -> web.Response:
        await noted(request)
        return web.Response(body=FILM, content_type="video/mp4")

    async def remix(request: web.Request) -> web.Response:
        await noted(request)
        return web.json_response(_video("vid-2", "film") | {"remixed_from_video_id": "vid-1"})

    async def rerank(request: web.Request) -> web.Response:
        body = await noted(request)
        results = [{"index": index, "relevance_score": 1 / (1 + index)} for index in range(len(body["documents"]))]
        return web.json_response({"id": "rerank-1", "results": results})

    router = application.router
    for path, handler in {
        "responses": responses,
        "messages": messages,
        "messages/count_tokens": count_tokens,
        "images/generations": images,
        "images/edits": images,
        "audio/speech": speech,
        "audio/transcriptions": transcriptions,
        "videos": videos,
        "videos/vid-1/remix": remix,
        "rerank": rerank,
    }.items():
        router.add_post(f"/v1/{path}", handler)
    router.add_get("/v1/videos/vid-1", video)
    router.add_delete("/v1/videos/vid-1", video)
    router.add_get("/v1/videos/vid-1/content", film)


async def _events(request: web.Request, events: list[dict[str, Any]]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    for number, event in enumerate(events):
        numbered = event if event["type"].startswith(("message", "content")) else event | {"sequence_number": number}
        await response.write(f"event: {event['type']}\ndata: {json.dumps(numbered)}\n\n".encode())
    await response.write_eof()
    return response


def _response(model: str, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_700_000_000,
        "model": model,
        "status": status,
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": RESPONSE_USAGE if output else None,
    }


def _message() -> dict[str, Any]:
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [_part()]}


def _part() -> dict[str, Any]:
    return {"type": "output_text", "text": "Bonjour", "annotations": []}


def _anthropic_message(model: str, content: list[dict[str, Any]], usage: dict[str, int]) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": "end_turn" if content else None,
        "stop_sequence": None,
        "usage": usage,
    }


def _video(video_id: str, model: str) -> dict[str, Any]:
    return {
        "id": video_id,
        "object": "video",
        "model": model,
        "status": "queued",
        "progress": 0,
        "created_at": 1_700_000_000,
        "size": "720x1280",
        "seconds": "4",
    }
