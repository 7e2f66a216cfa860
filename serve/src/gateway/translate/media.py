"""Pictures, sound and films by providers of another protocol."""

# ruff: noqa: SIM905 - lists of words read best as text

import io
from typing import Any

import orjson
from lisa.errors import BadRequestError

from gateway import video_ids
from gateway.form import FormFile
from gateway.translate.job import Events, Job, Whole

IMAGE_FIELDS = frozenset(
    "prompt background moderation n output_compression output_format quality response_format size style user".split()
)
IMAGE_EDIT_FIELDS = frozenset(
    "prompt background input_fidelity n output_compression output_format quality response_format size user".split()
)
SPEECH_FIELDS = frozenset("input instructions response_format speed user voice".split())
TRANSCRIPTION_FIELDS = frozenset("language prompt response_format temperature timestamp_granularities user".split())
VIDEO_FIELDS = frozenset("prompt seconds size user".split())
# A form has only text.
NUMBERS: dict[str, type[int] | type[float]] = {"n": int, "output_compression": int, "temperature": float}
SOUND = {
    b"mp3": b"audio/mpeg",
    b"opus": b"audio/opus",
    b"aac": b"audio/aac",
    b"flac": b"audio/flac",
    b"wav": b"audio/wav",
    b"pcm": b"audio/pcm",
}
PLAIN_TEXT = frozenset({"text", "srt", "vtt"})


async def images(job: Job) -> Whole | Events:
    _refuse_stream(job)
    return as_json(await job.library.aimage_generation(**job.arguments(IMAGE_FIELDS)))


async def image_edits(job: Job) -> Whole | Events:
    _refuse_stream(job)
    pictures = _files(job, "image")
    if not pictures:
        raise job.refuse("image", "is missing. Send the picture as a file of a form.")
    mask = _files(job, "mask")
    arguments = _numbers(job.arguments(IMAGE_EDIT_FIELDS))
    if mask:
        arguments["mask"] = mask[0]
    return as_json(await job.library.aimage_edit(image=pictures if len(pictures) > 1 else pictures[0], **arguments))


async def speech(job: Job) -> Whole | Events:
    if job.call.body.get("stream_format") == "sse":
        raise job.refuse("stream_format", "this model sends its sound as it is. Leave the field out.")
    answer = await job.library.aspeech(**job.arguments(SPEECH_FIELDS))
    kind = answer.response.headers.get("content-type", "").encode()
    wanted = str(job.call.body.get("response_format") or "mp3").encode()
    kind = kind if kind.startswith(b"audio/") else SOUND.get(wanted, b"application/octet-stream")
    return Whole(answer.content, kind, is_counted=False)


async def transcriptions(job: Job) -> Whole | Events:
    _refuse_stream(job)
    if job.provider == "bedrock":  # LiteLLM would call with a client of its own, past the guard
        raise BadRequestError("Models of Bedrock cannot transcribe here.")
    sound = _files(job, "file")
    if not sound:
        raise job.refuse("file", "is missing. Send the sound as a file of a form.")
    answer = await job.library.atranscription(file=sound[0], **_numbers(job.arguments(TRANSCRIPTION_FIELDS)))
    if job.call.body.get("response_format") in PLAIN_TEXT:
        return Whole(str(answer.text).encode(), b"text/plain; charset=utf-8", is_counted=False)
    return as_json(answer)


async def videos(job: Job) -> Whole | Events:
    arguments = job.arguments(VIDEO_FIELDS)
    reference = _files(job, "input_reference")
    if reference:
        arguments["input_reference"] = reference[0]
    return as_video(job, await job.library.avideo_generation(**arguments))


def as_video(job: Job, answer: Any) -> Whole:
    """What a provider tells of a video, with our ids in place of those that LiteLLM makes of the provider's."""
    answer.id = job.library.types.videos.utils.extract_original_video_id(answer.id)
    return Whole(video_ids.with_our_ids(as_json(answer).body, job.call.target.model_id))


def _refuse_stream(job: Job) -> None:
    if job.call.is_streamed:
        raise job.refuse("stream", "this model answers at once. Leave the field out.")


def _files(job: Job, name: str) -> list[io.BytesIO]:
    """As LiteLLM takes them. OpenAI's SDK writes a list as `image[]`."""
    return [_named(file) for file in job.call.files if file.name in (name, f"{name}[]")]


def _named(file: FormFile) -> io.BytesIO:
    opened = io.BytesIO(file.data)
    opened.name = file.filename
    return opened


def _numbers(arguments: dict[str, Any]) -> dict[str, Any]:
    """Raises: BadRequestError."""
    for name, kind in NUMBERS.items():
        if isinstance(arguments.get(name), str):
            try:
                arguments[name] = kind(arguments[name])
            except ValueError:
                raise BadRequestError(f"`{name}` has to be a number.") from None
    return arguments


def as_json(answer: Any) -> Whole:
    return Whole(orjson.dumps(answer.model_dump(exclude_none=True), default=str))
