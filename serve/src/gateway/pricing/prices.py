"""What calls cost: the model's own prices, else LiteLLM's public list, read as a file without importing LiteLLM."""

import asyncio
import importlib.util
import math
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from lisa.models.schemas import HostingType, ModelRow, Pricing

from gateway.pricing.rates import Cases, cases_of, dearest_of
from gateway.pricing.unit_prices import UnitPrices, unit_prices_of, variant_of

LIST_NAME = "model_prices_and_context_window_backup.json"
MICROS = 1_000_000


class Price(NamedTuple):
    """US dollars a token. `cached`: read from the provider's cache, `written`: put into it. `max_output` 0: unknown.

    `units`: what pictures, sound, films and searches cost; None: tokens are all that costs. `cases`: what tokens cost
    where that depends on more; empty, as for most models: it does not.
    """

    input: float
    output: float
    cached: float
    written: float
    max_output: int = 0
    provider: str = ""
    units: UnitPrices | None = None
    cases: Cases = ()

    @property
    def dearest_input(self) -> float:
        return max(self.input, self.written)

    def dearest(self, prompt: int, tier: Any) -> tuple[float, float]:
        """A token of a prompt of so many at most, and one of its answer, where this service tier is asked for."""
        return dearest_of(self.cases, prompt, tier) if self.cases else (self.dearest_input, self.output)


FREE = Price(0.0, 0.0, 0.0, 0.0)


def micro_usd(usd: float) -> int:
    """Whole millionths of a dollar, rounded up: many small calls are not free."""
    return math.ceil(usd * MICROS - 1e-6)


def cost_of(price: Price, prompt: int, completion: int, cached: int = 0, written: int = 0) -> int:
    """Micro-dollars of a call. `cached` and `written` are parts of `prompt`."""
    plain = max(prompt - cached - written, 0)
    usd = plain * price.input + cached * price.cached + written * price.written + completion * price.output
    return micro_usd(usd)


Priced = tuple[ModelRow, Price]


class Prices:
    """Each answer is remembered. The list is read on first need: 50 ms, 3 MB, of which a tenth is kept."""

    def __init__(self, read_list: Callable[[], bytes] | None = None) -> None:
        self._read_list = read_list or _litellms_list
        self._list: dict[str, Price] | None = None
        self._known: dict[tuple[str, bool], Price] = {}
        self._own: dict[str, tuple[Pricing, Price]] = {}  # by model id
        self._lock = threading.Lock()

    def peek(self, row: ModelRow) -> Price | None:
        """The price if it is known without reading the list. Never waits."""
        own = row.pricing
        if own is not None:
            known = self._own.get(row.model_id)
            if known is not None and known[0] is own:
                return known[1]
        listed = self._known.get((row.model_name, _is_ours(row)))
        if own is None or listed is None:
            return listed
        # An own price has no rebate for what the provider had cached, and does not tell how long answers may be.
        inward, outward = own.input_cost_per_token, own.output_cost_per_token
        price = Price(inward, outward, inward, inward, listed.max_output)
        self._own[row.model_id] = own, price
        return price

    async def learned(self, rows: Iterable[ModelRow]) -> list[Priced]:
        """The rows with their prices; `of` knows those afterwards. Waits for the list, without blocking the loop."""
        priced = []
        for row in rows:
            price = self.peek(row)
            priced.append((row, await asyncio.to_thread(self.of, row) if price is None else price))
        return priced

    def of(self, row: ModelRow) -> Price:
        """Zero for a model that the list does not have. May read the list, unless `learned` has seen to the model."""
        price = self.peek(row)
        if price is None:
            is_ours = _is_ours(row)
            self._known[row.model_name, is_ours] = FREE if is_ours else _find(self._loaded(), row.model_name)
            return self.of(row)
        return price

    def _loaded(self) -> dict[str, Price]:
        with self._lock:
            if self._list is None:
                self._list = _compact(self._read_list())
            return self._list


def _is_ours(row: ModelRow) -> bool:
    """Who runs a model pays for its machines, not for tokens."""
    return row.hosting_type is not HostingType.THIRD_PARTY


def _litellms_list() -> bytes:
    spec = importlib.util.find_spec("litellm")
    if spec is None or not spec.submodule_search_locations:
        return b"{}"
    path = Path(spec.submodule_search_locations[0]) / LIST_NAME
    return path.read_bytes() if path.exists() else b"{}"


def _compact(raw: bytes) -> dict[str, Price]:
    prices: dict[str, Price] = {}
    variants = []
    for name, entry in orjson.loads(raw).items():
        if not isinstance(entry, dict) or name == "sample_spec":
            continue
        inward = _number(entry, "input_cost_per_token") or 0.0
        cached, written = (
            _number(entry, "cache_read_input_token_cost"),
            _number(entry, "cache_creation_input_token_cost"),
        )
        prices[name] = Price(
            inward,
            _number(entry, "output_cost_per_token") or 0.0,
            inward if cached is None else cached,
            inward if written is None else written,
            int(_number(entry, "max_output_tokens") or 0),
            sys.intern(str(entry.get("litellm_provider") or "")),
            unit_prices_of(entry),
            cases_of(entry),
        )
        variant = variant_of(name, entry)
        if variant is not None and variant[2]:
            variants.append((prices[name].provider, *variant))
    for provider, name, variant_name, usd in variants:
        _add_variant(prices, provider, name, {variant_name: usd})
    return prices


def _add_variant(prices: dict[str, Price], provider: str, name: str, variant: dict[str, float]) -> None:
    """Some models are in the list by their qualities and sizes only, some under a prefix that these lack."""
    full_name = name if name in prices else f"{provider}/{name}"
    if full_name not in prices:
        full_name = name
    known = prices.get(full_name, FREE._replace(provider=provider))
    units = known.units or UnitPrices()
    prices[full_name] = known._replace(units=units._replace(variants={**units.variants, **variant}))


def _number(entry: dict[str, Any], name: str) -> float | None:
    value = entry.get(name)
    return value if isinstance(value, int | float) and value >= 0 else None


def _find(prices: dict[str, Price], model_name: str) -> Price:
    """By the whole name; without its prefixes only where the list has it from the same provider."""
    if model_name in prices:
        return prices[model_name]
    prefix, _, name = model_name.partition("/")
    while name:
        price = prices.get(name)
        if price is not None and price.provider.startswith(prefix):
            return price
        name = name.partition("/")[2]
    return FREE
