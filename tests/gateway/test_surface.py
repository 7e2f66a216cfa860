"""Every route that an upstream speaks, passed through, with the official SDKs as judges."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import anthropic
import httpx
import openai
import pytest

from tests.gateway.conftest import PROVIDER_KEY, World
from tests.gateway.fake_media import FILM, PICTURE, SOUND

ASK: list[Any] = [{"role": "user", "content": "Hi"}]


@pytest.fixture(params=["/v1", "/v2/serve"])
def sdk(world: World, request: pytest.FixtureRequest) -> openai.OpenAI:
    return world.sdk(path=request.param)


@pytest.fixture(params=["", "/anthropic", "/v2/serve", "/v2/serve/anthropic"])
def claude(world: World, request: pytest.FixtureRequest) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(
        base_url=world.url + request.param, auth_token=world.token(), api_key=None, max_retries=0, timeout=20
    ) as client:
        yield client


def test_responses(sdk: openai.OpenAI) -> None:
    assert sdk.responses.create(model="echo", input="Hi").output_text == "Bonjour"


def test_streamed_responses(sdk: openai.OpenAI) -> None:
    with sdk.responses.stream(model="echo", input="Hi") as stream:
        kinds = [event.type for event in stream]
        assert stream.get_final_response().output_text == "Bonjour"
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"


def test_messages(claude: anthropic.Anthropic) -> None:
    answer = claude.messages.create(model="keyless", max_tokens=9, messages=ASK)
    assert answer.content[0].type == "text"
    assert answer.content[0].text == "Bonjour"
    assert answer.usage.output_tokens == 3


def test_streamed_messages(claude: anthropic.Anthropic) -> None:
    with claude.messages.stream(model="keyless", max_tokens=9, messages=ASK) as stream:
        assert "".join(stream.text_stream) == "Bonjour"
        assert stream.get_final_message().usage.output_tokens == 3


def test_longer_messages_than_the_model_writes_are_not_asked_for_but_claude_gets_what_was_sent(world: World) -> None:
    with world.http() as http:
        for model in ("brief", "claude"):
            http.post("/v1/messages", json={"model": model, "max_tokens": 32_000, "messages": ASK}).raise_for_status()
    assert world.upstream.seen.body["max_tokens"] == 100
    assert world.anthropic.seen.body["max_tokens"] == 32_000


def test_tokens_are_counted_where_the_upstream_counts(claude: anthropic.Anthropic) -> None:
    assert claude.messages.count_tokens(model="keyless", messages=ASK).input_tokens == 9


def test_models_in_anthropics_form(claude: anthropic.Anthropic) -> None:
    listed = claude.models.list()
    assert "echo" in {model.id for model in listed}
    assert claude.models.retrieve("echo").type == "model"


@pytest.mark.parametrize("header", ["x-api-key", "authorization"])
def test_anthropic_sdk_may_send_its_key_either_way(world: World, header: str) -> None:
    headers = {header: world.token() if header == "x-api-key" else f"Bearer {world.token()}"}
    body = {"model": "keyless", "max_tokens": 9, "messages": ASK}
    assert httpx.post(f"{world.url}/v1/messages", headers=headers, json=body).status_code == 200


def test_version_of_anthropics_protocol_goes_upstream(world: World) -> None:
    headers = {"anthropic-version": "2026-10-21", "anthropic-beta": "thing-2026", "x-secret": "no"}
    with world.http() as http:
        http.post("/v1/messages", headers=headers, json={"model": "keyless", "max_tokens": 9, "messages": ASK})
    seen = world.upstream.seen.headers[-1]
    assert (seen["anthropic-version"], seen["anthropic-beta"]) == ("2026-10-21", "thing-2026")
    assert "x-secret" not in seen


def test_error_has_anthropics_form_on_its_routes(claude: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError) as refusal:
        claude.messages.create(model="nothing", max_tokens=9, messages=ASK)
    body: Any = refusal.value.body
    assert body["type"] == "error"
    assert body["error"]["type"] == "not_found_error"
    assert body["code"] == "model_not_found"


def test_images(sdk: openai.OpenAI) -> None:
    data = sdk.images.generate(model="echo", prompt="a hill", n=1, size="256x256").data
    assert data and data[0].b64_json == PICTURE


def test_edited_images(world: World, sdk: openai.OpenAI) -> None:
    picture = ("hill.png", BytesIO(SOUND), "image/png")
    data = sdk.images.edit(model="echo", image=picture, prompt="a tree", n=1).data
    assert data and data[0].b64_json == PICTURE
    assert world.upstream.seen.body["image"] == SOUND
    assert world.upstream.seen.body["prompt"] == "a tree"
    assert world.upstream.seen.headers[-1]["authorization"] == f"Bearer {PROVIDER_KEY}"
    sdk.images.edit(model="echo", image=[picture, picture], prompt="a tree", extra_body={"tags": ["a", "b"]})
    assert world.upstream.seen.body["image[]"] == SOUND
    assert world.upstream.seen.body["tags[]"] == "b"


def test_speech_is_sound_unchanged(sdk: openai.OpenAI) -> None:
    answer = sdk.audio.speech.create(model="echo", voice="alloy", input="Hello")
    assert answer.read() == SOUND
    assert answer.response.headers["content-type"] == "audio/mpeg"


def test_streamed_speech(sdk: openai.OpenAI) -> None:
    with sdk.audio.speech.with_streaming_response.create(model="echo", voice="alloy", input="Hello") as answer:
        assert b"".join(answer.iter_bytes()) == SOUND


@pytest.mark.parametrize(("form", "text"), [("json", "76800 bytes"), ("text", "hello\n")])
def test_transcriptions(world: World, sdk: openai.OpenAI, form: Any, text: str) -> None:
    answer: Any = sdk.audio.transcriptions.create(
        model="echo", file=("a\u00e9.mp3", BytesIO(SOUND)), response_format=form, timestamp_granularities=["word"]
    )
    assert (answer if isinstance(answer, str) else answer.text) == text
    assert world.upstream.seen.body["file"] == SOUND
    assert world.upstream.seen.body["timestamp_granularities[]"] == "word"


def test_video_is_made_looked_at_fetched_remixed_and_deleted(world: World, sdk: openai.OpenAI) -> None:
    made = sdk.videos.create(model="echo", prompt="a hill", seconds="4")
    assert made.status == "queued"
    assert made.id.startswith("video_")
    assert sdk.videos.retrieve(made.id).status == "completed"
    assert sdk.videos.retrieve(made.id).id == made.id
    assert sdk.videos.download_content(made.id).read() == FILM
    remixed = sdk.videos.remix(made.id, prompt="a tree")
    assert remixed.remixed_from_video_id == made.id
    assert sdk.videos.delete(made.id).deleted
    assert world.upstream.seen.paths[-1] == "/v1/videos/vid-1"


def test_video_of_other_groups_does_not_exist(world: World) -> None:
    made = world.sdk("bob").videos.create(model="physics", prompt="a hill")
    with pytest.raises(openai.NotFoundError):
        world.sdk("ada").videos.retrieve(made.id)


@pytest.mark.parametrize("video_id", ["video_", "video_AAAA", "vid-1", "video_WyJlY2hvIiwgMV0", "%2e%2e", "video_e30"])
def test_unknown_video_is_404(world: World, video_id: str) -> None:
    with world.http() as http:
        assert http.get(f"/v1/videos/{video_id}").status_code == 404


def test_rerank(world: World) -> None:
    with world.http() as http:
        answer = http.post("/v1/rerank", json={"model": "echo", "query": "q", "documents": ["a", "b"]})
    assert [hit["index"] for hit in answer.json()["results"]] == [0, 1]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/audio/transcriptions", {"model": (None, "echo")}),
        ("/v1/audio/transcriptions", {"file": ("a.mp3", b"x")}),
        ("/v1/audio/transcriptions", {"model": (None, "echo"), "file": ("a", b"x"), "api_base": (None, "http://evil")}),
        ("/v1/chat/completions", {"model": (None, "echo"), "messages": (None, "[]")}),
    ],
)
def test_bad_form_is_refused_with_a_reason(world: World, path: str, body: dict[str, Any]) -> None:
    with world.http() as http:
        answer = http.post(path, files=body)
    assert answer.status_code == 400
    assert answer.json()["message"].endswith(".")


def test_broken_form_is_refused(world: World) -> None:
    with world.http() as http:
        for raw in (b"", b"--x", b"--x\r\n\r\n", b"--x\r\nContent-Disposition: nonsense\r\n\r\nx\r\n--x--\r\n"):
            answer = http.post(
                "/v1/audio/transcriptions", content=raw, headers={"Content-Type": "multipart/form-data; boundary=x"}
            )
            assert answer.status_code == 400, raw
