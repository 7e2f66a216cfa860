"""One ranking out of two: that of the vectors and that of the words."""

from collections.abc import Mapping, Sequence

K = 60  # of reciprocal rank fusion: Cormack, Clarke and Buettcher, SIGIR 2009


def reciprocal_rank(legs: Sequence[Mapping[int, float]]) -> dict[int, float]:
    """Chunk id → summed 1 / (60 + rank), best first. A leg maps chunk ids to its scores."""
    fused: dict[int, float] = {}
    for leg in legs:
        for rank, chunk in enumerate(best_first(leg), 1):
            fused[chunk] = fused.get(chunk, 0.0) + 1 / (K + rank)
    return best_first(fused)


def min_max(legs: Sequence[Mapping[int, float]]) -> dict[int, float]:
    """Chunk id → mean of the legs' scores, each leg stretched to 0..1 and absent ones 0; best first.

    A leg whose scores are all equal counts as 1 for what it found.
    """
    fused: dict[int, float] = {}
    for leg in legs:
        low, high = min(leg.values(), default=0.0), max(leg.values(), default=0.0)
        for chunk, score in leg.items():
            share = (score - low) / (high - low) if high > low else 1.0
            fused[chunk] = fused.get(chunk, 0.0) + share / len(legs)
    return best_first(fused)


def best_first(scores: Mapping[int, float]) -> dict[int, float]:
    """By score, equal ones by id, so that the same search answers the same."""
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0])))
