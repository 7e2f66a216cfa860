"""One ranking out of two: that of the vectors and that of the words. Why this way: docs/retrieval.md."""

from collections.abc import Mapping


def fuse(vector: Mapping[int, float], text: Mapping[int, float]) -> dict[int, float]:
    """Chunk id → mean of both scores, each brought to 0..1, best first; what a leg did not find has 0 there.

    A cosine is stretched between the leg's lowest and highest: models differ in where "unrelated" lies. BM25 is divided
    by the highest: its zero is a real one. A leg that found nothing at all does not count.
    """
    lowest = min(vector.values(), default=0.0)
    legs = [leg for leg in (_stretched(vector, lowest), _stretched(text, 0.0)) if leg]
    fused: dict[int, float] = {}
    for leg in legs:
        for chunk, share in leg.items():
            fused[chunk] = fused.get(chunk, 0.0) + share / len(legs)
    return best_first(fused)


def best_first(scores: Mapping[int, float]) -> dict[int, float]:
    """By score, equal ones by id, so that the same search answers the same."""
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0])))


def _stretched(leg: Mapping[int, float], zero: float) -> dict[int, float]:
    """Scores as shares of the way from `zero` to the highest; 1 for all when there is no such way."""
    span = max(leg.values(), default=zero) - zero
    return {chunk: (score - zero) / span if span > 0 else 1.0 for chunk, score in leg.items()}
