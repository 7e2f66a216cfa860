import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lisa.errors import UnavailableError, UpstreamError
from lisa.serve_client import BATCH_CHARACTERS, BATCH_TEXTS, ServeClient, batches


class Serve:
    """A real HTTP server with scripted answers; when they run out it embeds a text as [its length]."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, Any], dict[str, str]]] = []
        self.seen: list[tuple[str, dict[str, Any]]] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.seen.append((self.headers["Authorization"], body))
                rows = [{"index": i, "embedding": [len(t)]} for i, t in enumerate(body["input"])]
                status, answer, headers = owner.answers.pop(0) if owner.answers else (200, {"data": rows[::-1]}, {})
                data = json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(data))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()
        self.pauses: list[float] = []
        self.keys = ["old", "new"]
        self.client = ServeClient(
            f"http://127.0.0.1:{self.server.server_port}/",
            lambda: self.keys[0],
            forget_key=lambda: self.keys.reverse(),
            sleep=self.pauses.append,
        )


@pytest.fixture
def serve() -> Iterator[Serve]:
    serve = Serve()
    yield serve
    serve.server.shutdown()
    serve.server.server_close()


def test_vectors_come_in_the_order_of_the_texts(serve: Serve) -> None:
    assert serve.client.embed(["a", "bb", "ccc"], "m") == [[1.0], [2.0], [3.0]]
    assert serve.seen[0][0] == "Bearer old"


def test_many_texts_go_in_several_requests(serve: Serve) -> None:
    assert len(serve.client.embed(["x"] * (BATCH_TEXTS + 1), "m")) == BATCH_TEXTS + 1
    assert [len(body["input"]) for _, body in serve.seen] == [BATCH_TEXTS, 1]


def test_a_passing_failure_is_tried_again_after_the_pause_asked_for(serve: Serve) -> None:
    serve.answers = [(503, {}, {}), (429, {}, {"Retry-After": "7"})]

    assert serve.client.embed(["a"], "m") == [[1.0]]
    assert serve.pauses[1] >= 7 > serve.pauses[0]


def test_a_rotated_key_is_read_again(serve: Serve) -> None:
    serve.answers = [(401, {}, {})]

    serve.client.embed(["a"], "m")

    assert [key for key, _ in serve.seen] == ["Bearer old", "Bearer new"]


def test_a_refusal_gives_the_models_own_reason_at_once(serve: Serve) -> None:
    serve.answers = [(400, {"error": {"message": "too long"}}, {})]

    with pytest.raises(UpstreamError, match=r"400 [(]too long"):
        serve.client.embed(["a"], "m")
    assert not serve.pauses


def test_an_answer_that_is_not_embeddings_is_an_upstream_error(serve: Serve) -> None:
    serve.answers = [(200, {"choices": []}, {}), (200, {"data": []}, {})]

    with pytest.raises(UpstreamError, match="Is it an embedding model"):
        serve.client.embed(["a"], "m")
    with pytest.raises(UpstreamError, match="0 embeddings for 1"):
        serve.client.embed(["a"], "m")


def test_a_serve_out_of_reach_is_unavailable() -> None:
    client = ServeClient("http://127.0.0.1:9", lambda: "k", sleep=lambda _: None)

    with pytest.raises(UnavailableError, match="cannot be reached"):
        client.embed(["a"], "m")


@given(st.lists(st.integers(0, BATCH_CHARACTERS + 5).map(lambda size: "x" * size), max_size=6))
def test_batches_lose_nothing_and_stay_small(texts: list[str]) -> None:
    cut = list(batches(texts))

    assert [text for batch in cut for text in batch] == texts
    assert all(len(b) == 1 or sum(map(len, b)) <= BATCH_CHARACTERS for b in cut)
