"""People, clients and repositories as the end-to-end tests handle them."""

import contextlib
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

import boto3
import pytest
import requests

T = TypeVar("T")


class Api(requests.Session):
    """The control plane as one caller sees it: paths are relative to the API's address."""

    def __init__(self, base: str, credential: str | None) -> None:
        super().__init__()
        self.base = base.rstrip("/")
        if credential:
            self.headers["Authorization"] = credential

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        kwargs.setdefault("timeout", 60)
        return super().request(method, self.base + url, *args, **kwargs)


def eventually(probe: Callable[[], T | None], what: str, seconds: float = 120) -> T:
    """The first true answer of `probe`; fails naming `what` when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = probe()
        if answer:
            return answer
        time.sleep(0.3)
    pytest.fail(f"{what} did not happen within {seconds:.0f} s")


class People:
    """Signs people of the user pool in; makes new ones with the groups that a test needs."""

    def __init__(self, stack: dict[str, Any]) -> None:
        self.stack = stack
        self.cognito = aws(stack, "cognito-idp")
        self.pool_id = stack["oidc_authority"].rstrip("/").rsplit("/", 1)[1]

    def id_token(self, username: str, password: str) -> str:
        answer = self.cognito.initiate_auth(
            ClientId=self.stack["client_id"],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": username, "PASSWORD": password},
        )
        return str(answer["AuthenticationResult"]["IdToken"])

    def named(self, role: str) -> Api:
        person = self.stack[role]
        return Api(self.stack["api_url"], f"Bearer {self.id_token(person['username'], person['password'])}")

    def new(self, *groups: str) -> Api:
        username, password = f"p{uuid.uuid4().hex[:10]}", f"Aa1!{uuid.uuid4().hex}"
        self.cognito.admin_create_user(UserPoolId=self.pool_id, Username=username, MessageAction="SUPPRESS")
        self.cognito.admin_set_user_password(
            UserPoolId=self.pool_id, Username=username, Password=password, Permanent=True
        )
        for group in groups:
            with contextlib.suppress(self.cognito.exceptions.GroupExistsException):
                self.cognito.create_group(UserPoolId=self.pool_id, GroupName=group)
            self.cognito.admin_add_user_to_group(UserPoolId=self.pool_id, Username=username, GroupName=group)
        return Api(self.stack["api_url"], f"Bearer {self.id_token(username, password)}")


def aws(stack: dict[str, Any], service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=stack["aws_endpoint_url"],
        region_name=stack["region"],
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


class Library:
    """One repository and its documents, as its users handle them."""

    def __init__(self, stack: dict[str, Any], admin: Api, repository_id: str, name: str) -> None:
        self.stack, self.admin, self.id, self.name = stack, admin, repository_id, name
        self.collection = "minilm-l6-v2"
        self.s3 = aws(stack, "s3")
        self.bucket = stack["documents_bucket"]

    def key(self, name: str, collection: str | None = None) -> str:
        return f"{self.id}/{collection or self.collection}/{name}"

    def put(self, name: str, body: bytes, collection: str | None = None) -> str:
        key = self.key(name, collection)
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def documents(self, collection: str | None = None) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        query: dict[str, Any] = {"collectionId": collection or self.collection, "pageSize": 100}
        while True:
            page = self.admin.get(f"/repository/{self.id}/document", params=query).json()
            rows += page["documents"]
            last = page.get("lastEvaluated")
            if not last:
                return rows
            query |= {
                "lastEvaluatedKeyPk": last["pk"],
                "lastEvaluatedKeyDocumentId": last["document_id"],
                "lastEvaluatedKeyRepositoryId": last.get("repository_id", self.id),
            }

    def document(self, source: str, collection: str | None = None) -> dict[str, Any] | None:
        return next((row for row in self.documents(collection) if row["source"] == source), None)

    def finished(self, source: str, collection: str | None = None, seconds: float = 120) -> dict[str, Any]:
        """The document once its ingestion has ended, well or not."""

        def probe() -> dict[str, Any] | None:
            row = self.document(source, collection)
            return row if row and row["status"] in ("INGESTION_COMPLETED", "INGESTION_FAILED") else None

        return eventually(probe, f"the end of ingesting {source}", seconds)

    def search(self, query: str, caller: Api | None = None, **fields: Any) -> list[dict[str, Any]]:
        body: dict[str, Any] = {"query": query, "topK": 5, "collectionId": self.collection, "score": True} | fields
        answer = (caller or self.admin).post(f"/repository/{self.id}/similaritySearch", json=body)
        assert answer.status_code == 200, answer.text
        return [hit["Document"] for hit in answer.json()["docs"]]


def make_library(stack: dict[str, Any], admin: Api, **fields: Any) -> Library:
    repository_id = f"t{uuid.uuid4().hex[:10]}"
    # A name of its own: other workers have libraries, too, and delete them when they are done.
    body: Any = {"repositoryId": repository_id, "repositoryName": f"Test {repository_id}", "type": "pgvector"}
    body |= {"embeddingModelId": "minilm-l6-v2"} | fields
    answer = admin.post("/repository", json=body)
    assert answer.status_code == 200, answer.text

    def ready() -> bool:
        status = admin.get("/repository/status").json().get(repository_id)
        assert status != "CREATE_FAILED"
        return bool(status == "CREATE_COMPLETE")

    eventually(ready, f"creation of repository {repository_id}", 60)
    return Library(stack, admin, repository_id, body["repositoryName"])
