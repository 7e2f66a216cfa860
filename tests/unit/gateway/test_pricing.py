"""Prices come from the model's row or from LiteLLM's list, which is read without importing LiteLLM."""

import json
import subprocess
import sys
import threading

import pytest
from gateway.pricing.prices import FREE, Price, Prices, cost_of, micro_usd

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


def test_own_price_goes_first_and_needs_no_list() -> None:
    def unread() -> bytes:
        raise AssertionError("read the list")

    assert Prices(unread).of(model(name="gpt-x"))[:2] == (1e-6, 3e-6)


def test_own_machines_cost_nothing_by_the_token() -> None:
    row = model(name="openai/gpt-x", pricing=None, hostingType="internal_hosted", modelUrl="http://lb.internal/v1")
    assert Prices(lambda: LIST).of(row) == FREE


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
    await prices.learned([model()])  # has a price of its own
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


def test_litellms_list_is_a_file() -> None:
    code = (
        "import sys; from gateway.pricing.prices import Prices; from tests.unit.gateway.calls import model;"
        "price = Prices().of(model(name='openai/gpt-4o', pricing=None));"
        "assert 0 < price.cached < price.input < price.output and price.max_output > 1000, price;"
        "assert 'litellm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})
