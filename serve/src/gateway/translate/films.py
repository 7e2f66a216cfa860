"""What was asked for as a video: how far it is, the film itself, another like it."""

from collections.abc import Awaitable, Callable
from typing import Any

from lisa.errors import BadRequestError

from gateway.translate.job import Events, Job, Whole
from gateway.translate.media import as_video

FILM, PICTURE = b"video/mp4", b"image/webp"


def video(upstream_id: str, action: str, variant: str) -> Callable[[Job], Awaitable[Whole | Events]]:
    """The translation of `GET videos/{id}` (no `action`), its `content`, `remix`, or `delete`."""

    async def translated(job: Job) -> Whole | Events:
        arguments: dict[str, Any] = {**job.arguments(frozenset({"prompt"})), "video_id": upstream_id}
        arguments["custom_llm_provider"] = job.provider
        for name in ("model", "api_version"):  # LiteLLM would write the version before the id into Azure's address
            arguments.pop(name, None)
        if action == "delete":
            raise BadRequestError("This model's provider does not take videos back: they end by themselves.")
        if action == "content":
            data = await job.library.avideo_content(**arguments, variant=variant or None)
            return Whole(data, PICTURE if variant in ("thumbnail", "spritesheet") else FILM, is_counted=False)
        if action == "remix":
            return as_video(job, await job.library.avideo_remix(**arguments))
        return as_video(job, await job.library.avideo_status(**arguments))

    return translated
