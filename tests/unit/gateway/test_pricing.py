"""Prices come from the model's row or from LiteLLM's list, which is read without importing LiteLLM."""

import json
import subprocess
import sys
import threading
from typing import Any

import pytest
from gateway.pricing.prices import FREE, Price, Prices, cost_of, micro_usd
from gateway.pricing.rates import usd_of_tokens
from gateway.pricing.token_counts import tokens_of

from tests.unit.gateway.calls import model

LIST = json.dumps(
    {
        "sample_spec": {"input_cost_per_token": 9, "max_output_tokens": "text"},
        "gpt-x": {"litellm_provider": "openai", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6},
        "azure/gpt-x": {"litellm_provider": "azure", "input_cost_per_token": 5e-6, "output_cost_per_token": 6e-6},
        "us.anthropic.claude": {
            "litellm_provider": "bedrock_converse",
            "input_cost_per_token": 3e-6,
            "output_cost_per_token": 4e-6,
            "cache_read_input_token_cost": 1e-7,
            "cache_creation_input_token_cost": 4e-6,
            "max_output_tokens": 8192,
        },
        "meta/llama": {"litellm_provider": "replicate", "input_cost_per_token": 7e-6},
        "odd": {"litellm_provider": "openai", "input_cost_per_token": "free", "output_cost_per_token": None},
    }
).encode()


@pytest.mark.parametrize(
    ("name", "price"),
    [
        ("openai/gpt-x", Price(1e-6, 2e-6, 1e-6, 1e-6, 0, "openai")),
        ("gpt-x", Price(1e-6, 2e-6, 1e-6, 1e-6, 0, "openai")),
        ("azure/gpt-x", Price(5e-6, 6e-6, 5e-6, 5e-6, 0, "azure")),
        ("bedrock/us.anthropic.claude", Price(3e-6, 4e-6, 1e-7, 4e-6, 8192, "bedrock_converse")),
        ("bedrock/converse/us.anthropic.claude", Price(3e-6, 4e-6, 1e-7, 4e-6, 8192, "bedrock_converse")),
        ("hosted_vllm/meta/llama", FREE),
        ("hosted_vllm/gpt-x", FREE),
        ("openai/odd", Price(0, 0, 0, 0, 0, "openai")),
        ("openai/unknown", FREE),
        ("sample_spec", FREE),
    ],
)
def test_public_price_is_found_by_name_and_provider(name: str, price: Price) -> None:
    prices = Prices(lambda: LIST)
    row = model(name=name, pricing=None)
    assert prices.peek(row) is None
    assert prices.of(row) == price
    assert prices.peek(row) == price


def test_own_price_goes_first_and_has_the_longest_answer_of_the_list() -> None:
    row = model(name="bedrock/us.anthropic.claude")
    assert Prices(lambda: LIST).of(row) == Price(1e-6, 3e-6, 1e-6, 1e-6, 8192)


def test_own_price_that_changes_counts_at_once() -> None:
    prices = Prices(lambda: LIST)
    for usd in (1e-6, 2e-6):
        row = model(name="gpt-x", pricing={"inputCostPerToken": usd, "outputCostPerToken": usd})
        assert prices.of(row)[:2] == (usd, usd)


def test_own_machines_cost_nothing_by_the_token() -> None:
    def unread() -> bytes:
        raise AssertionError("read the list")

    row = model(name="openai/gpt-x", pricing=None, hostingType="internal_hosted", modelUrl="http://lb.internal/v1")
    assert Prices(unread).of(row) == FREE


def test_list_is_read_once() -> None:
    reads = []

    def read() -> bytes:
        reads.append(1)
        return LIST

    prices = Prices(read)
    for name in ("a", "b", "a", "gpt-x"):
        prices.of(model(name=name, pricing=None))
    assert len(reads) == 1


async def test_list_is_learned_in_a_thread_and_only_where_it_is_needed() -> None:
    threads = []

    def read() -> bytes:
        threads.append(threading.current_thread())
        return LIST

    prices = Prices(read)
    await prices.learned([model(hostingType="internal_hosted", modelUrl="http://lb.internal/v1")])
    assert not threads
    rows = [model(name="gpt-x", pricing=None), model(name="unheard-of", pricing=None)]
    for _ in range(2):
        await prices.learned(rows)
    assert len(threads) == 1
    assert threads[0] is not threading.current_thread()
    assert all(prices.peek(row) is not None for row in rows)


def test_cost_is_rounded_up_to_the_millionth() -> None:
    assert micro_usd(0.0) == 0
    assert micro_usd(1e-9) == 1
    assert micro_usd(3e-6 * 1000) == 3000
    assert cost_of(Price(2e-8, 0, 2e-8, 2e-8), 10, 0) == 1
    assert cost_of(Price(1e-6, 2e-6, 1e-7, 4e-6), 1000, 10, cached=500, written=100) == 400 + 50 + 400 + 20


REAL = Prices()


def spent(name: str, usage: dict[str, Any], tier: object = None) -> int:
    """Micro-dollars by the installed list."""
    tokens, price = tokens_of(usage), REAL.of(model(name=name, pricing=None))
    assert tokens
    return micro_usd(usd_of_tokens(price.cases, tokens, usage, tier)) if price.cases else cost_of(price, *tokens)


def chat(prompt: int, completion: int, asked: dict[str, Any] | None = None, **answered: int) -> dict[str, Any]:
    details = {"prompt_tokens_details": asked or {}, "completion_tokens_details": answered}
    return {"prompt_tokens": prompt, "completion_tokens": completion, **details}


GPT_5, GEMINI, CLAUDE = "openai/gpt-5", "gemini/gemini-2.5-pro", "anthropic/claude-sonnet-4-5"
WRITTEN = {"input_tokens": 100, "output_tokens": 50, "cache_creation_input_tokens": 10_000}
HOUR = {"ephemeral_1h_input_tokens": 10_000, "ephemeral_5m_input_tokens": 0}


@pytest.mark.parametrize(
    ("name", "usage", "tier", "micro"),
    [
        (GPT_5, chat(10_000, 5000), None, 62_500),
        (GPT_5, chat(10_000, 5000), "default", 62_500),
        (GPT_5, chat(10_000, 5000), "priority", 125_000),
        (GPT_5, chat(10_000, 5000), "flex", 31_250),
        (GPT_5, chat(10_000, 5000), ["odd"], 62_500),
        (GEMINI, chat(200_000, 5000), None, 300_000),
        (GEMINI, chat(300_000, 5000), None, 825_000),
        (GEMINI, chat(300_000, 5000), "priority", 1_485_000),
        (GEMINI, chat(300_000, 0, {"cached_tokens": 200_000}), None, 300_000),
        ("openai/gpt-5.4", chat(300_000, 5000), None, 1_612_500),
        ("openai/gpt-5.4", chat(300_000, 5000), "priority", 1_612_500),  # which such prompts have not
        ("openai/gpt-audio", chat(1000, 1500, {"audio_tokens": 900}, audio_tokens=1400), None, 119_650),
        ("openai/gpt-audio", chat(1000, 1500), None, 17_500),
        ("openai/gpt-audio", chat(10, 10, {"audio_tokens": 999}, audio_tokens=999), None, 960),
        ("gemini/gemini-2.5-flash-image", chat(100, 1300, image_tokens=1290), None, 38_755),
        (CLAUDE, WRITTEN, None, 38_550),
        (CLAUDE, WRITTEN | {"cache_creation": HOUR}, None, 61_050),
        (CLAUDE, chat(10_100, 50, {"cache_creation_tokens": 10_000}), None, 38_550),  # as LiteLLM tells it
        (CLAUDE, chat(10_100, 50, {"cache_write_tokens": 10_000, "cache_creation_token_details": HOUR}), None, 61_050),
        (CLAUDE, chat(10_100, 50) | {"cache_creation_input_tokens": 10_000}, None, 38_550),  # as its proxy does
    ],
)
def test_price_of_the_list_holds_for_its_case(name: str, usage: dict[str, Any], tier: object, micro: int) -> None:
    assert spent(name, usage, tier) == micro


@pytest.mark.parametrize(
    ("name", "prompt", "tier", "dearest"),
    [
        (GPT_5, 1000, None, (1.25e-6, 1e-5)),
        (GPT_5, 1000, "priority", (2.5e-6, 2e-5)),
        (GPT_5, 1000, "flex", (1.25e-6, 1e-5)),  # which the provider may not grant
        (GEMINI, 200_000, None, (1.25e-6, 1e-5)),
        (GEMINI, 200_001, None, (2.5e-6, 1.5e-5)),
        (CLAUDE, 1000, None, (6e-6, 1.5e-5)),
        ("openai/gpt-audio", 1000, None, (3.2e-5, 6.4e-5)),
        ("gemini/gemini-2.5-flash-image", 1000, None, (1e-6, 3e-5)),
    ],
)
def test_dearest_price_that_can_apply_is_reserved(name: str, prompt: int, tier: object, dearest: object) -> None:
    assert REAL.of(model(name=name, pricing=None)).dearest(prompt, tier) == dearest


def test_most_models_have_one_price_for_all_tokens() -> None:
    assert REAL.of(model(name="openai/gpt-4-turbo", pricing=None)).cases == ()
    assert Price(1e-6, 2e-6, 1e-7, 4e-6).dearest(10**6, "priority") == (4e-6, 2e-6)


def test_litellms_list_is_a_file() -> None:
    code = (
        "import sys; from gateway.pricing.prices import Prices; from tests.unit.gateway.calls import model;"
        "price = Prices().of(model(name='openai/gpt-4o', pricing=None));"
        "assert 0 < price.cached < price.input < price.output and price.max_output > 1000, price;"
        "assert 'litellm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
