"""Containers reach the emulator through the relay, under a name that the emulator takes for its own."""

import http.server
import threading
import urllib.request

from local.container_relay import relay


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
