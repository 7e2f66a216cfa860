"""Prices of LiteLLM's list for some cases: sound, pictures, long prompts, service tiers, an hour in the cache."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.pricing.token_counts import Tokens, count_of, input_details, kept_tokens, output_details

_TIERS = "priority|flex|ultrafast|balanced"
_CASE = re.compile(rf"(?:in|out)put_cost_per_token(?:_above_(\d+)k_tokens)?(?:_({_TIERS}))?", re.ASCII)
_IN_SOME_CASES = re.compile(rf"_above_|_audio_token|_image_token|_(?:{_TIERS})\b")


class Rates(NamedTuple):
    """US dollars a token. `cached`: read from the provider's cache, `written`: put into it, `kept`: for an hour.

    `heard`, `seen`: sound and pictures in a prompt; `spoken`, `drawn`: in an answer.
    """

    input: float
    output: float
    cached: float
    written: float
    kept: float
    heard: float
    seen: float
    spoken: float
    drawn: float

    @property
    def dearest_input(self) -> float:
        return max(self.input, self.written, self.kept, self.heard, self.seen)

    @property
    def dearest_output(self) -> float:
        return max(self.output, self.spoken, self.drawn)


class Case(NamedTuple):
    """Holds for prompts of more than so many tokens, and for one service tier; empty: for each without its own.

    `is_even`: sound, pictures and an hour in the cache cost no more than other tokens.
    """

    above: int
    tier: str
    rates: Rates
    is_even: bool


Cases = tuple[Case, ...]


def cases_of(entry: Mapping[str, Any]) -> Cases:
    """Those of an entry of the list, the longest prompts first. Empty: its plain prices hold for all tokens."""
    if not _IN_SOME_CASES.search(" ".join(entry)):  # as with most of them
        return ()
    found = {(0, "")}
    for name in entry:
        case = _CASE.fullmatch(name)
        if case:
            found.add((int(case[1] or 0), case[2] or ""))
    cases = tuple(_case(entry, above, tier) for above, tier in sorted(found, reverse=True))
    return cases if len(cases) > 1 or not cases[0].is_even else ()


def dearest_of(cases: Cases, prompt: int, tier: Any) -> tuple[float, float]:
    """Dollars for a token of a prompt of so many at most, and for one of its answer."""
    rates = [case.rates for case in cases if _holds(case, prompt, tier)]
    return max(rate.dearest_input for rate in rates), max(rate.dearest_output for rate in rates)


def usd_of_tokens(cases: Cases, tokens: Tokens, usage: Mapping[str, Any], tier: Any) -> float:
    """`usage` tells of which kind the tokens are; without that they are text."""
    prompt, completion, cached, written = tokens
    case = next(case for case in cases if _holds(case, prompt, tier))
    rates, plain = case.rates, max(prompt - cached - written, 0)
    if case.is_even:
        return plain * rates.input + completion * rates.output + cached * rates.cached + written * rates.written
    inward, outward = input_details(usage), output_details(usage)
    heard = min(count_of(inward, "audio_tokens") or 0, plain)
    seen = min(count_of(inward, "image_tokens") or 0, plain - heard)
    kept = min(kept_tokens(usage), written) if written else 0
    spoken = min(count_of(outward, "audio_tokens") or 0, completion)
    drawn = min(count_of(outward, "image_tokens") or 0, completion - spoken)
    asked = (plain - heard - seen) * rates.input + heard * rates.heard + seen * rates.seen
    cache = cached * rates.cached + (written - kept) * rates.written + kept * rates.kept
    answered = (completion - spoken - drawn) * rates.output + spoken * rates.spoken + drawn * rates.drawn
    return asked + cache + answered


def _holds(case: Case, prompt: int, tier: Any) -> bool:
    return (prompt > case.above or not case.above) and case.tier in (tier, "")


def _case(entry: Mapping[str, Any], above: int, tier: str) -> Case:
    rates = _rates(entry, f"_above_{above}k_tokens" if above else "", f"_{tier}" if tier else "")
    kept, inward, outward = rates[3:5], (rates.input, *rates[5:7]), (rates.output, *rates[7:])
    is_even = all(len(set(kind)) == 1 for kind in (kept, inward, outward))
    return Case(above * 1000, tier, rates, is_even)


def _rates(entry: Mapping[str, Any], above: str, tier: str) -> Rates:
    def usd(name: str, other: float) -> float:
        """The price for this case, else the one that holds in more of them."""
        for case in (above + tier, above, tier, ""):
            value = entry.get(name + case)
            if isinstance(value, int | float) and value >= 0:
                return float(value)
        return other

    inward, outward = usd("input_cost_per_token", 0.0), usd("output_cost_per_token", 0.0)
    written = usd("cache_creation_input_token_cost", inward)
    return Rates(
        input=inward,
        output=outward,
        cached=usd("cache_read_input_token_cost", inward),
        written=written,
        kept=usd("cache_creation_input_token_cost_above_1hr", written),
        heard=usd("input_cost_per_audio_token", inward),
        seen=usd("input_cost_per_image_token", inward),
        spoken=usd("output_cost_per_audio_token", outward),
        drawn=usd("output_cost_per_image_token", outward),
    )
