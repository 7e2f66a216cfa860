"""Who may do what: sign-in, credentials of every kind, groups where the work happens."""

import base64
import hashlib
import json
import re
import secrets
from typing import Any
from urllib.parse import parse_qs, urlparse

import openai as sdk
import pytest
import requests
from openai import OpenAI

from tests.e2e.clients import Api, Library, People, aws, eventually, make_library


def sign_in(stack: dict[str, Any], password: str) -> requests.Response:
    """The authorization code flow with PKCE as a browser runs it; returns the answer of the token endpoint."""
    found = requests.get(f"{stack['oidc_authority']}/.well-known/openid-configuration", timeout=10).json()
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    browser = requests.Session()
    asked = {
        "response_type": "code",
        "client_id": stack["client_id"],
        "redirect_uri": stack["console_url"],
        "scope": "openid",
        "state": "s1",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    page = browser.get(found["authorization_endpoint"], params=asked, timeout=10)
    assert page.status_code == 200, page.text
    fields = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page.text))
    action = re.search(r'<form[^>]*action="([^"]+)"', page.text)
    target = requests.compat.urljoin(page.url, action.group(1) if action else "/login")  # type: ignore[attr-defined]
    done = browser.post(
        target,
        data=fields | {"username": stack["user"]["username"], "password": password},
        allow_redirects=False,
        timeout=10,
    )
    code = parse_qs(urlparse(done.headers.get("Location", "")).query).get("code", [""])[0]
    return requests.post(
        found["token_endpoint"],
        data={
            "grant_type": "authorization_code",
            "client_id": stack["client_id"],
            "code": code,
            "redirect_uri": stack["console_url"],
            "code_verifier": verifier,
        },
        timeout=10,
    )


def test_code_flow_with_pkce_gives_a_token_that_the_api_takes(stack: dict[str, Any]) -> None:
    tokens = sign_in(stack, stack["user"]["password"]).json()
    for credential in (f"Bearer {tokens['id_token']}", tokens["id_token"], f"Bearer {tokens['access_token']}"):
        assert Api(stack["api_url"], credential).get("/models").status_code == 200


def test_wrong_password_gives_no_token(stack: dict[str, Any]) -> None:
    assert sign_in(stack, "wrong").status_code >= 400


def forged(token: str, **claims: Any) -> str:
    head, body, signature = token.split(".")
    content = json.loads(base64.urlsafe_b64decode(body + "==")) | claims
    changed = base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
    return f"{head}.{changed}.{signature}"


def unsigned(token: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


@pytest.mark.parametrize("spoil", [lambda t: forged(t, **{"cognito:groups": ["admin"]}), unsigned, lambda t: "x" * 64])
def test_forged_token_is_refused_on_both_planes(stack: dict[str, Any], user: Api, spoil: Any) -> None:
    bad = spoil(str(user.headers["Authorization"]).removeprefix("Bearer "))
    answer = Api(stack["api_url"], f"Bearer {bad}").get("/models")
    assert answer.status_code == 401
    assert answer.json()["message"]
    assert (
        requests.get(
            f"{stack['serve_url']}/v1/models", headers={"Authorization": f"Bearer {bad}"}, timeout=10
        ).status_code
        == 401
    )


def test_no_credential_is_refused_on_both_planes(stack: dict[str, Any], anonymous: Api) -> None:
    assert anonymous.get("/models").status_code == 401
    assert requests.get(f"{stack['serve_url']}/v1/models", timeout=10).status_code == 401


def test_every_kind_of_credential_opens_both_planes(stack: dict[str, Any]) -> None:
    key = aws(stack, "secretsmanager").get_secret_value(SecretId=stack["management_key_secret"])["SecretString"]
    for credential in (stack["api_token"], f"Bearer {stack['api_token']}", key, f"Bearer {key}"):
        assert Api(stack["api_url"], credential).get("/models").status_code == 200
        answer = requests.get(f"{stack['serve_url']}/v1/models", headers={"Authorization": credential}, timeout=10)
        assert answer.status_code == 200
    api_key = requests.get(f"{stack['serve_url']}/v1/models", headers={"Api-Key": stack["api_token"]}, timeout=10)
    assert api_key.status_code == 200


def test_deleted_token_stops_working(stack: dict[str, Any], admin: Api) -> None:
    made = admin.post("/api-tokens/robot", json={"name": "robot", "groups": ["user"]}).json()
    robot = Api(stack["api_url"], made["token"])
    assert robot.get("/models").status_code == 200
    assert admin.delete(f"/api-tokens/{made['tokenUUID']}").status_code == 200
    eventually(lambda: robot.get("/models").status_code == 401, "the end of a deleted token", 130)


def test_person_without_the_api_group_gets_403_for_a_token(user: Api) -> None:
    answer = user.post("/api-tokens", json={"name": "mine"})
    assert answer.status_code == 403
    assert answer.json()["code"] == "forbidden"


@pytest.fixture(scope="module")
def closed(stack: dict[str, Any], admin: Api) -> Library:
    library = make_library(stack, admin, allowedGroups=["finance"])
    assert (
        library.finished(library.put("pay.txt", b"Salaries rise by four percent."))["status"] == "INGESTION_COMPLETED"
    )
    return library


def test_repository_of_a_foreign_group_is_closed_on_every_route(closed: Library, user: Api, people: People) -> None:
    row = closed.documents()[0]
    base = f"/repository/{closed.id}"
    assert closed.id not in {r["repositoryId"] for r in user.get("/repository").json()}
    for method, path, body in [
        ("GET", base, None),
        ("GET", f"{base}/document?collectionId={closed.collection}", None),
        ("GET", f"{base}/{row['document_id']}", None),
        ("GET", f"{base}/{row['document_id']}/download", None),
        ("GET", f"{base}/similaritySearch?query=salaries&collectionId={closed.collection}", None),
        ("POST", f"{base}/similaritySearch", {"query": "salaries"}),
        ("POST", f"{base}/bulk", {"keys": ["uploads/x/y/z.txt"]}),
        ("DELETE", f"{base}/document", {"documentIds": [row["document_id"]]}),
        ("GET", f"{base}/collection", None),
        ("GET", f"{base}/collection/{closed.collection}", None),
        ("DELETE", base, None),
    ]:
        answer = user.request(method, path, json=body)
        assert answer.status_code in (403, 404), (method, path, answer.status_code, answer.text)
        assert "alar" not in answer.text
    member = people.new("finance")
    assert "four percent" in closed.search("salaries", member)[0]["page_content"]


def test_document_is_not_found_under_another_repository(closed: Library, library: Library, user: Api) -> None:
    document_id = closed.documents()[0]["document_id"]
    assert user.get(f"/repository/{library.id}/{document_id}").status_code == 404
    assert user.get(f"/repository/{library.id}/{document_id}/download").status_code == 404


def test_closed_collection_in_an_open_repository_is_closed(library: Library, admin: Api, user: Api) -> None:
    made = admin.post(
        f"/repository/{library.id}/collection",
        json={"name": "Board", "embeddingModel": "minilm-l6-v2", "allowedGroups": ["board"]},
    ).json()
    collection = made["collectionId"]
    library.finished(library.put("minutes.txt", b"The board bought a lighthouse.", collection), collection)
    answer = user.post(
        f"/repository/{library.id}/similaritySearch", json={"query": "lighthouse", "collectionId": collection}
    )
    assert answer.status_code in (403, 404)
    assert "lighthouse" in library.search("lighthouse", collectionId=collection)[0]["page_content"]


def test_model_of_a_foreign_group_is_refused_at_inference(stack: dict[str, Any], admin: Api, user: Api) -> None:
    local = next(m for m in admin.get("/models").json()["models"] if m["modelId"] == "extractive")
    admin.post("/models", json=local | {"modelId": "closed-model", "allowedGroups": ["finance"]})
    eventually(
        lambda: admin.get("/models/closed-model").json().get("model", {}).get("status") == "InService",
        "model creation",
        60,
    )
    assert user.get("/models/closed-model").status_code == 404
    token = str(user.headers["Authorization"]).removeprefix("Bearer ")
    mine = OpenAI(base_url=f"{stack['serve_url']}/v1", api_key=token, max_retries=0)
    boss = OpenAI(base_url=f"{stack['serve_url']}/v1", api_key=stack["api_token"], max_retries=0)
    ask: Any = {"model": "closed-model", "messages": [{"role": "user", "content": "hi"}]}
    eventually(lambda: "closed-model" in {m.id for m in boss.models.list()}, "the model at the gateway", 15)
    assert boss.chat.completions.create(**ask).choices
    assert "closed-model" not in {m.id for m in mine.models.list()}
    with pytest.raises((sdk.NotFoundError, sdk.PermissionDeniedError)):
        mine.chat.completions.create(**ask)
    assert admin.delete("/models/closed-model").status_code == 200
    eventually(lambda: admin.get("/models/closed-model").status_code == 404, "model deletion", 60)
