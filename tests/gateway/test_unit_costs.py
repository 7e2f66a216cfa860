"""Pictures, sound, films and searches through the running gateway: what they cost, and that budgets hold for them."""

from collections.abc import Callable

import openai
import pytest

from tests.gateway.conftest import World
from tests.gateway.serving import eventually
from tests.gateway.test_usage import record_of

# Micro-dollars of the list that is installed with LiteLLM.
PICTURE, CHARACTER, SECOND_OF_SOUND, SECOND_OF_FILM, SEARCH = 20_000, 15, 100, 100_000, 2_000
TALK = ("a.mp3", b"ID3" * 20_000, "audio/mpeg")
Ask = Callable[[openai.OpenAI], object]


@pytest.fixture(scope="module")
def sold(world: World) -> World:
    """Models that are sold by the unit, and a caller who can pay for one picture."""
    account = world.account
    for model_id, name in {
        "painter": "xai/grok-imagine-image",
        "speaker": "openai/tts-1",
        "listener": "openai/whisper-1",
        "filmer": "openai/sora-2",
        "ranker": "rerank-v3.5",
    }.items():
        account.register(model_id, name, world.upstream_url)
    account.register("own-painter", "xai/grok-imagine-image", world.upstream_url, hosting_type="internal_hosted")
    account.issue("painter", "user")
    account.limit("user#painter", budget_micro_usd=PICTURE * 3 // 2, budget_period="month")
    account.issue("probe", "user")
    account.limit("user#probe", requests_per_minute=1)
    eventually(lambda: "own-painter" in {model.id for model in world.sdk().models.list()})
    eventually(lambda: _is_limited(world, "probe"))  # so are the others: they are read together
    return world


def _is_limited(world: World, username: str) -> bool:
    with world.http(username) as http:
        return http.post("/v1/embeddings", json={"model": "minilm", "input": "x"}).status_code == 429


@pytest.mark.parametrize(
    ("ask", "operation", "micro_usd"),
    [
        (lambda sdk: sdk.images.generate(model="painter", prompt="a hill"), "images", PICTURE),
        (
            lambda sdk: sdk.images.edit(model="painter", prompt="a tree", image=b"\x89PNG"),
            "image_edits",
            PICTURE,
        ),
        (
            lambda sdk: sdk.audio.speech.create(model="speaker", input="Grüß Gott!", voice="alloy"),
            "speech",
            10 * CHARACTER,
        ),
        (
            lambda sdk: sdk.audio.transcriptions.create(model="listener", file=TALK, response_format="verbose_json"),
            "transcriptions",
            SECOND_OF_SOUND * 17 // 2,
        ),
        (
            lambda sdk: sdk.videos.create(model="filmer", prompt="a hill", seconds="4"),
            "videos",
            4 * SECOND_OF_FILM,
        ),
        (
            lambda sdk: sdk.post(
                "/rerank", body={"model": "ranker", "query": "q", "documents": ["a", "b"]}, cast_to=object
            ),
            "rerank",
            SEARCH,
        ),
    ],
    ids=["images", "image_edits", "speech", "transcriptions", "videos", "rerank"],
)
def test_call_costs_what_the_list_says(sold: World, ask: Ask, operation: str, micro_usd: int) -> None:
    ask(sold.sdk())
    record = record_of(sold, operation=operation, username="ada")
    assert (record["costMicroUsd"], record["estimated"], record["status"]) == (micro_usd, False, "completed")


def test_sound_whose_length_nobody_tells_is_estimated_from_its_size(sold: World) -> None:
    sold.sdk("bob").audio.transcriptions.create(model="listener", file=TALK, response_format="text")
    record = record_of(sold, operation="transcriptions", username="bob")
    assert record["estimated"]
    assert 15 * SECOND_OF_SOUND <= record["costMicroUsd"] <= 16 * SECOND_OF_SOUND


def test_remix_costs_the_seconds_that_its_answer_tells(sold: World) -> None:
    made = sold.sdk("root").videos.create(model="filmer", prompt="a hill", seconds="8")
    record_of(sold, operation="videos", username="root")
    sold.sdk("root").videos.remix(made.id, prompt="a tree")
    assert record_of(sold, operation="videos", username="root")["costMicroUsd"] == 4 * SECOND_OF_FILM


def test_own_machine_costs_nothing(sold: World) -> None:
    sold.sdk().images.generate(model="own-painter", prompt="a hill")
    assert record_of(sold, modelId="own-painter")["costMicroUsd"] == 0


def test_refused_call_costs_nothing(sold: World) -> None:
    sold.account.register("no-painter", "xai/grok-imagine-image", sold.upstream_url.replace("/v1", "/nowhere"))
    eventually(lambda: "no-painter" in {model.id for model in sold.sdk().models.list()})
    with pytest.raises(openai.NotFoundError):
        sold.sdk().images.generate(model="no-painter", prompt="a hill")
    record = record_of(sold, modelId="no-painter")
    assert (record["costMicroUsd"], record["status"]) == (0, "failed")


def test_budget_blocks_the_second_picture(sold: World) -> None:
    images = sold.sdk("painter").images
    with pytest.raises(openai.RateLimitError):
        images.generate(model="painter", prompt="two hills", n=2)
    assert images.generate(model="painter", prompt="a hill").data
    with pytest.raises(openai.RateLimitError) as refusal:
        images.generate(model="painter", prompt="another hill")
    assert refusal.value.code == "budget_exceeded"
    assert record_of(sold, username="painter")["requests"] == 1

    def spent() -> list[int]:
        committed = sold.account.committed()
        return [value for quota, value in committed.items() if quota.startswith("user#painter|cost")]

    eventually(lambda: spent() == [PICTURE])
