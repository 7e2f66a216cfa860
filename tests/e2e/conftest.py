"""Fixtures of the end-to-end tests."""

from collections.abc import Iterator
from typing import Any

import pytest
from openai import OpenAI

from tests.e2e.clients import Api, Library, People, aws, make_library


@pytest.fixture(scope="session")
def people(stack: dict[str, Any]) -> People:
    return People(stack)


@pytest.fixture(scope="session")
def admin(people: People) -> Api:
    return people.named("admin")


@pytest.fixture(scope="session")
def user(people: People) -> Api:
    return people.named("user")


@pytest.fixture(scope="session")
def anonymous(stack: dict[str, Any]) -> Api:
    return Api(stack["api_url"], None)


@pytest.fixture(scope="session")
def s3(stack: dict[str, Any]) -> Any:
    return aws(stack, "s3")


@pytest.fixture(scope="session")
def openai(stack: dict[str, Any]) -> OpenAI:
    return OpenAI(base_url=f"{stack['serve_url']}/v1", api_key=stack["api_token"], max_retries=0, timeout=60)


@pytest.fixture(scope="module")
def library(stack: dict[str, Any], admin: Api) -> Iterator[Library]:
    made = make_library(stack, admin)
    yield made
    admin.delete(f"/repository/{made.id}")
