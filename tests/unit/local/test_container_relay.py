"""Containers reach the emulator through the relay, under a name that the emulator takes for its own."""

import contextlib
import http.server
import json
import socketserver
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.container_relay import bridge_address, relay
from local.problems import LocalError


class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.headers["Host"].encode())

    def log_message(self, *_: object) -> None:
        pass


def test_request_arrives_with_the_loopbacks_name() -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with relay("127.0.0.2", server.server_port) as url, urllib.request.urlopen(url, timeout=10) as answer:
            assert answer.read().decode() == f"127.0.0.1:{server.server_port}"
        server.shutdown()


class Network(http.server.BaseHTTPRequestHandler):
    answer: dict[str, Any] = {}

    def do_GET(self) -> None:
        body = json.dumps(self.answer if self.path == "/networks/bridge" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass

    def address_string(self) -> str:
        return "socket"


@contextlib.contextmanager
def engine(folder: Path, answer: dict[str, Any]) -> Iterator[str]:
    """An engine's socket that knows one network."""
    path = folder / "engine.sock"
    handler = type("Answering", (Network,), {"answer": answer})
    with socketserver.UnixStreamServer(str(path), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"unix://{path}"
        server.shutdown()


def test_engine_tells_the_address_of_its_bridge(tmp_path: Path) -> None:
    config = [{"Gateway": "fd00::1"}, {"Subnet": "10.88.0.0/16", "Gateway": "10.88.0.1"}]
    with engine(tmp_path, {"IPAM": {"Config": config}}) as address:
        assert bridge_address(address) == "10.88.0.1"


@pytest.mark.parametrize("answer", [{}, {"message": "no such network"}, {"IPAM": {"Config": []}}])
def test_engine_without_a_bridge_is_a_clear_message(tmp_path: Path, answer: dict[str, Any]) -> None:
    with engine(tmp_path, answer) as address, pytest.raises(LocalError, match="DOCKER_HOST"):
        bridge_address(address)


@pytest.mark.parametrize("address", ["unix:///nowhere.sock", "tcp://127.0.0.1:2375"])
def test_no_engine_is_a_clear_message(address: str) -> None:
    with pytest.raises(LocalError, match="No container engine"):
        bridge_address(address)
