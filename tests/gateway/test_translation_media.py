"""Pictures, sound, films, vectors and ranks of providers that LiteLLM translates, called with OpenAI's SDK."""

import base64
import struct
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.gateway.conftest import PROVIDER_KEY, World
from tests.gateway.fake_providers import FILM, PNG, SOUND, FakeProviders
from tests.gateway.seen import Seen
from tests.gateway.serving import eventually, serve_application

pytestmark = pytest.mark.usefixtures("litellm_imported")

VERSION = "?api-version=2025-04-01-preview"
PICTURE = ("a.png", b"\x89PNG", "image/png")
TALK = ("a.mp3", b"ID3", "audio/mpeg")


@pytest.fixture(scope="module")
def seen(world: World) -> Iterator[Seen]:
    """What the providers saw."""
    fake = FakeProviders()
    with serve_application(fake.application) as url:
        for name in ("dall-e-3", "gpt-image-1", "tts", "whisper", "sora-2"):
            world.account.register(f"az-{name}", f"azure/{name}", url + VERSION, api_key=PROVIDER_KEY)
        world.account.register("vectors", "cohere/embed-v4.0", f"{url}/v2/embed", model_type="embedding", api_key="k")
        world.account.register("ranks", "cohere/rerank-v3.5", url, api_key="k")
        with world.http() as http:
            eventually(lambda: "ranks" in http.get("/v1/models").text)
        yield fake.seen


def test_pictures(world: World, seen: Seen) -> None:
    answer = world.sdk().images.generate(model="az-gpt-image-1", prompt="a cat", n=2, size="1024x1024")
    assert answer.data
    assert answer.data[0].b64_json == PNG
    assert seen.paths[-1] == f"/openai/deployments/gpt-image-1/images/generations{VERSION}"
    assert (seen.body["prompt"], seen.body["n"], seen.body["size"]) == ("a cat", 2, "1024x1024")
    assert seen.headers[-1]["api-key"] == PROVIDER_KEY


def test_pictures_from_pictures(world: World, seen: Seen) -> None:
    images = world.sdk().images
    answer = images.edit(model="az-gpt-image-1", prompt="bluer", image=[PICTURE, PICTURE], mask=PICTURE, n=2)
    assert answer.data
    assert answer.data[0].b64_json == PNG
    assert seen.body["n"] == "2"
    assert seen.body["image[]"][1:] == ("image/png", 4)
    assert seen.body["mask"][1:] == ("image/png", 4)


def test_what_cannot_be_done_is_said(world: World, seen: Seen) -> None:
    calls = len(seen.bodies)
    sdk = world.sdk()
    with pytest.raises(openai.BadRequestError, match="`stream`"):
        sdk.images.generate(model="az-gpt-image-1", prompt="a cat", stream=True)
    with pytest.raises(openai.BadRequestError, match="`stream`"):
        sdk.audio.transcriptions.create(model="az-whisper", file=TALK, stream=True)
    with pytest.raises(openai.BadRequestError, match="`stream_format`"):
        sdk.audio.speech.create(model="az-tts", input="x", voice="alloy", stream_format="sse")
    with pytest.raises(openai.BadRequestError, match="`n`"):
        sdk.images.edit(model="az-gpt-image-1", prompt="x", image=PICTURE, extra_body={"n": "two"})
    assert len(seen.bodies) == calls


def test_providers_error_keeps_status_and_code(world: World, seen: Seen) -> None:
    with pytest.raises(openai.BadRequestError, match="not a picture of that") as refused:
        world.sdk().images.generate(model="az-gpt-image-1", prompt="forbidden")
    assert refused.value.code == "content_policy_violation"
    with pytest.raises(openai.BadRequestError, match="not a picture of that"):
        world.sdk().audio.speech.create(model="az-tts", input="forbidden", voice="alloy")


def test_speech(world: World, seen: Seen) -> None:
    answer = world.sdk().audio.speech.create(
        model="az-tts", input="Hi", voice="alloy", response_format="mp3", speed=1.5
    )
    assert answer.content == SOUND
    assert answer.response.headers["content-type"] == "audio/mpeg"
    assert (seen.body["voice"], seen.body["speed"]) == ("alloy", 1.5)


def test_transcriptions(world: World, seen: Seen) -> None:
    transcriptions = world.sdk().audio.transcriptions
    assert transcriptions.create(model="az-whisper", file=TALK, temperature=0.5).text == "Grüezi mitenand"
    assert (seen.body["file"], seen.body["temperature"]) == ((*TALK[:1], "audio/mpeg", 3), "0.5")
    text: Any = transcriptions.create(model="az-whisper", file=TALK, response_format="text")
    assert text == "Grüezi mitenand\n"
    transcriptions.create(
        model="az-whisper", file=TALK, response_format="verbose_json", timestamp_granularities=["word"]
    )
    assert seen.body["timestamp_granularities[]"] == "word"


def test_film_is_made_looked_at_fetched_and_remixed(world: World, seen: Seen) -> None:
    videos = world.sdk().videos
    made = videos.create(model="az-sora-2", prompt="a cat", seconds="4", input_reference=PICTURE)
    assert (made.status, made.model) == ("queued", "sora-2")
    assert seen.body["input_reference"][1:] == ("image/png", 4)
    assert videos.retrieve(made.id).id == made.id
    assert seen.paths[-1] == "/openai/v1/videos/video_up"
    content = videos.download_content(made.id)
    assert content.content == FILM
    assert content.response.headers["content-type"] == "video/mp4"
    remixed = videos.remix(made.id, prompt="a dog")
    assert seen.paths[-1] == "/openai/v1/videos/video_up/remix"
    assert seen.body["prompt"] == "a dog"
    assert (remixed.status, remixed.remixed_from_video_id) == ("queued", made.id)
    assert remixed.id not in (made.id, "video_like_it")
    with pytest.raises(openai.BadRequestError, match="end by themselves"):
        videos.delete(made.id)


def test_vectors(world: World, seen: Seen) -> None:
    answer = world.sdk().embeddings.create(model="vectors", input=["a", "bb"])  # base64 under way
    assert [item.embedding for item in answer.data] == [[1.0, 0.5], [2.0, 0.5]]
    assert (answer.model, answer.usage.prompt_tokens) == ("vectors", 9)
    with world.http() as http:
        body = {"model": "vectors", "input": "abc", "encoding_format": "base64"}
        packed = http.post("/v1/embeddings", json=body).json()["data"][0]["embedding"]
    assert struct.unpack("<2f", base64.b64decode(packed)) == (3.0, 0.5)


def test_tokens_become_text_again(world: World, seen: Seen) -> None:
    """LangChain sends tokens unless told otherwise."""
    world.sdk().embeddings.create(model="vectors", input=[[9906, 1917], [9906]])
    assert seen.body["texts"] == ["Hello world", "Hello"]
    world.sdk().embeddings.create(model="vectors", input=[9906, 1917], extra_body={"input_type": "search_query"})
    assert (seen.body["texts"], seen.body["input_type"]) == (["Hello world"], "search_query")


def test_ranks(world: World, seen: Seen) -> None:
    body = {"model": "ranks", "query": "q", "documents": ["a", "b"], "top_n": 1}
    with world.http() as http:
        assert http.post("/v1/rerank", json={"model": "ranks", "query": "q"}).status_code == 400
        answer = http.post("/v1/rerank", json=body)
    assert answer.json()["results"] == [{"index": 1, "relevance_score": 0.9}]
    assert (seen.body["model"], seen.body["documents"]) == ("rerank-v3.5", ["a", "b"])
