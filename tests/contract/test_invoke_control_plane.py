"""The samples under events/invoke work on the handlers that `sam local invoke` would run."""

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from lisa.site import wiring

from functions.site import publish_site
from tests.fixtures.control_plane import Cloud, Context
from tests.fixtures.control_plane import cloud as cloud

SAMPLES = Path(__file__).parents[2] / "events" / "invoke"
HANDLERS = {
    "ApiTokensFunction": "functions.api_tokens.api",
    "AuthorizeFunction": "functions.auth.authorize",
    "ConfigurationFunction": "functions.configuration.api",
    "PublishSiteFunction": "functions.site.publish_site",
    "SessionsFunction": "functions.sessions.api",
    "SiteFunction": "functions.site.api",
}
UNKNOWN = {"get", "rename", "get_unknown", "delete_unknown", "unknown_file"}  # an empty account has no such thing


def cases(function: str) -> list[Path]:
    return sorted((SAMPLES / function).glob("*.json"))


@pytest.fixture
def invoke(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Path], Any]:
    cloud.configure(
        API_TOKENS_TABLE="tokens",
        AUTH_PARAMETER="/lisa/auth",
        CONFIGURATION_TABLE="configuration",
        MANAGEMENT_KEY_SECRET="key",
        SESSIONS_TABLE="sessions",
        SITE_BUCKET="site-bucket",
    )
    cloud.table("tokens", "token", indexes={"username-index": ("username", ""), "uuid-index": ("tokenUUID", "")})
    cloud.table("sessions", "userId", "sk")
    cloud.table("configuration", "configScope", "versionId:N")
    boto3.client("secretsmanager").create_secret(Name="key", SecretString="management-key")
    boto3.client("s3").create_bucket(Bucket="site-bucket")
    (tmp_path / "index.html").write_text("<!doctype html>")
    monkeypatch.setattr(publish_site, "FOLDER", tmp_path)
    wiring.site.cache_clear()

    def call(function: str, case: Path) -> Any:
        handler = importlib.import_module(HANDLERS[function]).handler
        return handler(json.loads(case.read_text()), Context())

    return call


@pytest.mark.parametrize("function", sorted(HANDLERS))
def test_every_function_has_a_sample(function: str) -> None:
    assert cases(function)


@pytest.mark.parametrize(
    ("function", "case"),
    [
        pytest.param(function, case, id=f"{function}-{case.stem}")
        for function in ("ApiTokensFunction", "ConfigurationFunction", "SessionsFunction", "SiteFunction")
        for case in cases(function)
    ],
)
def test_http_sample_is_answered(invoke: Callable[[str, Path], Any], function: str, case: Path) -> None:
    if function == "SiteFunction":
        invoke("PublishSiteFunction", SAMPLES / "PublishSiteFunction" / "create.json")
    assert invoke(function, case)["statusCode"] == (404 if case.stem in UNKNOWN else 200)


@pytest.mark.parametrize("case", cases("PublishSiteFunction"), ids=lambda case: case.stem)
def test_site_sample_succeeds(invoke: Callable[[str, Path], Any], case: Path) -> None:
    assert invoke("PublishSiteFunction", case)["Status"] == "SUCCESS"


@pytest.mark.parametrize("case", cases("AuthorizeFunction"), ids=lambda case: case.stem)
def test_authorizer_sample_is_refused(invoke: Callable[[str, Path], Any], case: Path) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        invoke("AuthorizeFunction", case)
