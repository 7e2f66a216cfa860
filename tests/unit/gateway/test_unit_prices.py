"""Pictures, sound, films and searches have the prices of LiteLLM's list, under the names that it gives them."""

import json
from typing import Any

import pytest
from gateway.pricing.prices import Prices, micro_usd
from gateway.pricing.unit_prices import DEAREST, Amounts, UnitPrices, unit_prices_of, usd_of

from tests.unit.gateway.calls import model

LIST: dict[str, dict[str, Any]] = {
    "whisper": {
        "mode": "audio_transcription",
        "litellm_provider": "openai",
        "input_cost_per_second": 0.25,
        "output_cost_per_second": 0.25,
    },
    "groq/whisper": {
        "mode": "audio_transcription",
        "litellm_provider": "groq",
        "input_cost_per_second": 0.5,
        "output_cost_per_second": 0.0,
    },
    "voice": {"mode": "audio_speech", "litellm_provider": "openai", "input_cost_per_character": 0.125},
    "token-voice": {"mode": "audio_speech", "litellm_provider": "openai", "output_cost_per_audio_token": 0.01},
    "token-ear": {"mode": "audio_transcription", "litellm_provider": "openai", "input_cost_per_audio_token": 0.01},
    "both": {
        "mode": "image_generation",
        "litellm_provider": "openai",
        "input_cost_per_image": 0.0,
        "output_cost_per_image": 0.5,
    },
    "inward": {"mode": "image_edit", "litellm_provider": "openai", "input_cost_per_image": 0.25},
    "dots": {
        "mode": "image_generation",
        "litellm_provider": "openai",
        "input_cost_per_pixel": 1e-6,
        "output_cost_per_pixel": 0.0,
    },
    "hd/1024-x-1792/azure-style": {
        "mode": "image_generation",
        "litellm_provider": "azure",
        "input_cost_per_pixel": 1e-6,
        "output_cost_per_token": 0.0,
    },
    "azure/hd/1024-x-1024/dall": {
        "mode": "image_generation",
        "litellm_provider": "azure",
        "input_cost_per_image": 0.08,
    },
    "azure/standard/1024-x-1024/dall": {
        "mode": "image_generation",
        "litellm_provider": "azure",
        "input_cost_per_image": 0.04,
    },
    "azure/standard/1024-x-1792/dall": {
        "mode": "image_generation",
        "litellm_provider": "azure",
        "input_cost_per_image": 0.06,
    },
    "256-x-256/dall-2": {"mode": "image_generation", "litellm_provider": "openai", "input_cost_per_image": 0.01},
    "xai/imagine": {"mode": "image_generation", "litellm_provider": "xai", "input_cost_per_image": 0.5},
    "low/1024-x-1024/imagine": {"mode": "image_generation", "litellm_provider": "xai", "input_cost_per_image": 0.125},
    "picture-tokens": {
        "mode": "image_generation",
        "litellm_provider": "openai",
        "input_cost_per_token": 1e-6,
        "input_cost_per_image_token": 2e-6,
        "output_cost_per_image_token": 4e-5,
    },
    "sora": {"mode": "video_generation", "litellm_provider": "openai", "output_cost_per_video_per_second": 0.5},
    "sora-high-res": {
        "mode": "video_generation",
        "litellm_provider": "openai",
        "output_cost_per_video_per_second": 0.75,
    },
    "veo": {
        "mode": "video_generation",
        "litellm_provider": "openai",
        "output_cost_per_second": 0.25,
        "output_cost_per_second_1080p": 0.5,
        "output_cost_per_second_4k": 1.0,
    },
    "ranker": {
        "mode": "rerank",
        "litellm_provider": "openai",
        "input_cost_per_query": 0.125,
        "input_cost_per_token": 0.0,
    },
    "token-ranker": {"mode": "rerank", "litellm_provider": "openai", "input_cost_per_token": 1e-8},
    "chat": {
        "mode": "chat",
        "litellm_provider": "openai",
        "input_cost_per_token": 1e-6,
        "input_cost_per_image": 9,
        "output_cost_per_second": 9,
    },
}
PRICES = Prices(lambda: json.dumps(LIST).encode())
REAL = Prices()


def units_of(name: str, prices: Prices = PRICES) -> UnitPrices:
    units = prices.of(model(name=name, pricing=None)).units
    assert units is not None, name
    return units


@pytest.mark.parametrize(
    ("name", "amounts", "usd"),
    [
        ("openai/whisper", Amounts(seconds=8), 2.0),  # once, though its price is there twice
        ("groq/whisper", Amounts(seconds=8), 4.0),
        ("openai/voice", Amounts(characters=8, seconds=100), 1.0),
        ("openai/both", Amounts(pictures=3), 1.5),
        ("openai/inward", Amounts(pictures=2), 0.5),
        ("openai/dots", Amounts(pictures=2, size="100x50"), 0.01),
        ("openai/dots", Amounts(pictures=1), 1.048576),
        ("openai/dots", Amounts(pictures=1, size="auto"), 1.048576),
        ("azure-style", Amounts(pictures=1, quality="hd", size="1024x1792"), 1.835008),
        ("azure/dall", Amounts(pictures=2, quality="hd"), 0.16),
        ("azure/dall", Amounts(pictures=2), 0.08),
        ("azure/dall", Amounts(pictures=1, size="1024x1792"), 0.06),
        ("openai/dall-2", Amounts(pictures=1, size="256x256"), 0.01),
        ("xai/imagine", Amounts(pictures=1, quality="low"), 0.125),
        ("xai/imagine", Amounts(pictures=1, quality="high"), 0.5),
        ("openai/sora", Amounts(seconds=4), 2.0),
        ("openai/sora", Amounts(seconds=4, size="1280x720"), 2.0),
        ("openai/sora", Amounts(seconds=4, size="1024x1792"), 3.0),
        ("openai/sora", Amounts(seconds=4, size=DEAREST), 3.0),
        ("openai/veo", Amounts(seconds=4), 1.0),
        ("openai/veo", Amounts(seconds=4, size="1920x1080"), 2.0),
        ("openai/veo", Amounts(seconds=4, size="1080p"), 2.0),
        ("openai/veo", Amounts(seconds=4, size="3840x2160"), 4.0),
        ("openai/veo", Amounts(seconds=4, size=DEAREST), 4.0),
        ("openai/ranker", Amounts(searches=2), 0.25),
    ],
)
def test_price_of_a_unit(name: str, amounts: Amounts, usd: float) -> None:
    assert usd_of(units_of(name), amounts) == pytest.approx(usd)


def test_size_that_the_list_lacks_costs_as_the_dearest_of_its_quality() -> None:
    dall = units_of("azure/dall")
    assert usd_of(dall, Amounts(pictures=1, size="2048x2048")) == 0.06
    assert usd_of(dall, Amounts(pictures=1, quality="hd", size="2048x2048")) == 0.08
    assert usd_of(dall, Amounts(pictures=1, quality="unheard-of")) == 0.08


def test_what_has_a_price_for_tokens_only_is_guessed_by_the_unit() -> None:
    assert not units_of("voice").is_guessed
    for name, amounts, usd in [
        ("token-voice", Amounts(seconds=2), 0.5),
        ("token-ear", Amounts(seconds=2), 0.64),
        ("picture-tokens", Amounts(pictures=2), 0.08448),
    ]:
        units = units_of(name)
        assert units.is_guessed
        assert usd_of(units, amounts) == pytest.approx(usd)
    picture = units_of("picture-tokens")
    assert (picture.media_input, picture.media_output) == (2e-6, 4e-5)


@pytest.mark.parametrize("name", ["chat", "token-ranker"])
def test_what_is_sold_by_the_token_has_no_units(name: str) -> None:
    assert PRICES.of(model(name=name, pricing=None)).units is None


@pytest.mark.parametrize("value", [None, "free", -1, [], {}])
def test_price_that_is_no_number_is_none(value: Any) -> None:
    assert unit_prices_of({"mode": "image_generation", "output_cost_per_image": value}) is None


@pytest.mark.parametrize(
    ("name", "amounts", "micro"),
    [
        ("openai/whisper-1", Amounts(seconds=60), 6000),
        ("openai/tts-1", Amounts(characters=1_000_000), 15_000_000),
        ("azure/dall-e-3", Amounts(pictures=1, quality="hd", size="1024x1792"), 132_001),  # by 1,835,008 pixels
        ("openai/gpt-image-1", Amounts(pictures=1, quality="high", size="1024x1536"), 250_000),
        ("openai/sora-2", Amounts(seconds=8), 800_000),
        ("openai/sora-2-pro", Amounts(seconds=4, size="1792x1024"), 2_000_000),
        ("cohere/rerank-v3.5", Amounts(searches=1), 2000),
        ("bedrock/amazon.titan-image-generator-v2:0", Amounts(pictures=5), 40_000),
    ],
)
def test_installed_list_has_the_prices_of_known_models(name: str, amounts: Amounts, micro: int) -> None:
    assert micro_usd(usd_of(units_of(name, REAL), amounts)) == micro


def test_installed_list_names_prices_as_we_read_them() -> None:
    image = units_of("openai/gpt-image-1", REAL)
    assert 0 < image.media_input < image.media_output
    assert REAL.of(model(name="openai/gpt-4o", pricing=None)).units is None
