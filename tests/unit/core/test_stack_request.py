import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from lisa.stack_request import answer_to, report

EVENT = {"StackId": "stack", "RequestId": "r1", "LogicalResourceId": "Site"}


@pytest.fixture
def presigned() -> Iterator[tuple[str, list[Any]]]:
    heard: list[Any] = []

    class Address(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.headers["Content-Type"], json.loads(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Address)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/answer", heard
    server.shutdown()
    server.server_close()


def test_the_answer_is_put_without_a_content_type(presigned: tuple[str, list[Any]]) -> None:
    url, heard = presigned
    answer = answer_to(EVENT, "site", data={"Uploaded": "3"})
    report(url, answer)
    assert heard == [("", answer)]


def test_nobody_asked_when_there_is_no_address() -> None:
    report(None, answer_to(EVENT, "site"))


def test_a_long_reason_is_cut_to_what_cloudformation_takes() -> None:
    answer = answer_to(EVENT, "site", failure="x" * 10_000)
    assert answer["Status"] == "FAILED"
    assert len(json.dumps(answer)) < 4096
