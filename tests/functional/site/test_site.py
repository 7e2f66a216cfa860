"""The page from the artifact to the browser, through CloudFormation's request and API Gateway's events."""

import base64
import gzip
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from lisa.site import wiring

from functions.site import api, publish_site
from tests.fixtures.control_plane import Cloud, Context, http_event

SCRIPT = "console.log('ä');" * 500
FONT = bytes(range(256)) * 8


@dataclass
class CloudFormation:
    """Listens at the ResponseURL."""

    url: str = ""
    answers: list[dict[str, Any]] = field(default_factory=list)

    def request(self, kind: str, **properties: Any) -> dict[str, Any]:
        event = {
            "RequestType": kind,
            "ResponseURL": self.url,
            "StackId": "arn:aws:cloudformation:us-east-1:1:stack/s/1",
            "RequestId": "r-1",
            "LogicalResourceId": "Site",
            "ResourceType": "Custom::Site",
            "ResourceProperties": {"ServiceToken": "arn", "Version": "1", **properties},
        }
        publish_site.handler(event, Context())  # type: ignore[arg-type]
        return self.answers[-1]


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    stack = CloudFormation()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            stack.answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    stack.url = f"http://127.0.0.1:{server.server_port}/answer?signature=x"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield stack
    server.shutdown()
    server.server_close()


@pytest.fixture
def bucket(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    cloud.configure(SITE_BUCKET="site-bucket")
    boto3.client("s3").create_bucket(Bucket="site-bucket")
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "assets" / "app-1.js").write_text(SCRIPT)
    (tmp_path / "assets" / "a.woff2").write_bytes(FONT)
    monkeypatch.setattr(publish_site, "FOLDER", tmp_path)
    wiring.site.cache_clear()
    yield boto3.resource("s3").Bucket("site-bucket")
    wiring.site.cache_clear()


def get(path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = api.handler(http_event("GET", path, headers=named), Context())  # type: ignore[arg-type]
    assert answer["isBase64Encoded"] is True
    return answer["statusCode"], base64.b64decode(answer["body"]), answer["headers"]


def test_page_is_published_and_served(bucket: Any, cloudformation: CloudFormation) -> None:
    config = {"authority": "https://idp.example/pool", "clientId": "c-1"}
    answer = cloudformation.request("Create", Config=config, ConnectSources=["https://docs.s3.amazonaws.com"])
    assert (answer["Status"], answer["PhysicalResourceId"], answer["RequestId"]) == ("SUCCESS", "site", "r-1")
    status, body, headers = get("/")
    assert (status, body, headers["Content-Type"]) == (200, b"<!doctype html>", "text/html; charset=utf-8")
    assert "connect-src 'self' https://docs.s3.amazonaws.com https://idp.example;" in headers["Content-Security-Policy"]
    assert json.loads(get("/config.json")[1]) == config
    assert get("/assets/a.woff2")[1] == FONT
    status, body, headers = get("/assets/app-1.js", Accept_Encoding="gzip, deflate, br")
    assert (gzip.decompress(body).decode(), headers["Content-Encoding"]) == (SCRIPT, "gzip")
    assert get("/assets/app-1.js", IF_NONE_MATCH=headers["ETag"], Accept_Encoding="gzip")[0] == 304
    assert get("/nowhere")[0] == 404
    assert get("/chat", accept="text/html")[0] == 302


def test_update_replaces_and_delete_empties(bucket: Any, cloudformation: CloudFormation, tmp_path: Path) -> None:
    first = cloudformation.request("Create", Config={})
    (tmp_path / "assets" / "app-1.js").rename(tmp_path / "assets" / "app-2.js")
    second = cloudformation.request("Update", Config={}, Version="2")
    assert (second["PhysicalResourceId"], second["Data"]) == (first["PhysicalResourceId"], {"Uploaded": "1"})
    keys = {entry.key for entry in bucket.objects.all()}
    assert {"site/assets/app-2.js", "site/assets/app-2.js.gz", "manifest.json"} <= keys
    assert not any("app-1" in key for key in keys)
    assert cloudformation.request("Delete")["Status"] == "SUCCESS"
    assert {entry.key for entry in bucket.objects.all()} == {"manifest.json"}
    assert get("/")[0] == 503


def test_failure_is_told_with_its_reason(bucket: Any, cloudformation: CloudFormation, tmp_path: Path) -> None:
    (tmp_path / "index.html").unlink()
    answer = cloudformation.request("Create", Config={})
    assert (answer["Status"], answer["StackId"]) == ("FAILED", "arn:aws:cloudformation:us-east-1:1:stack/s/1")
    assert "Build the page" in answer["Reason"]


def test_missing_bucket_fails_a_creation_and_not_a_deletion(
    bucket: Any, cloudformation: CloudFormation, cloud: Cloud
) -> None:
    cloud.configure(SITE_BUCKET="no-such-bucket")
    assert cloudformation.request("Create", Config={})["Status"] == "FAILED"
    assert cloudformation.request("Delete")["Status"] == "SUCCESS"


def test_wrong_environment_is_told_too(bucket: Any, cloudformation: CloudFormation, cloud: Cloud) -> None:
    cloud.configure(SITE_BUCKET="")
    answer = cloudformation.request("Create", Config={})
    assert (answer["Status"], "SITE_BUCKET" in answer["Reason"]) == ("FAILED", True)
