"""The list of models, how soon it follows the table, and what survives without the table."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from gateway.errors import ModelNotFoundError
from gateway.routing.keys import ProviderKeys
from gateway.routing.registry import Registry
from lisa.auth.schemas import Caller
from lisa.errors import UnavailableError
from lisa.models.schemas import ModelRow

from tests.gateway.conftest import World
from tests.gateway.serving import eventually

ADA = Caller(username="ada", groups=frozenset({"user"}))


def row(model_id: str, **more: Any) -> dict[str, Any]:
    return {
        "modelId": model_id,
        "modelName": "openai/x",
        "modelUrl": "http://up/v1",
        "modelType": "textgen",
        "status": "InService",
        **more,
    }


def test_sdk_lists_the_models_one_may_use(world: World) -> None:
    ids = [model.id for model in world.sdk().models.list()]
    assert {"echo", "minilm", "claude"} <= set(ids)
    assert not {"physics", "stopped", "bad-address"} & set(ids)
    assert "physics" in [model.id for model in world.sdk("bob").models.list()]


def test_sdk_retrieves_one_model_with_its_age(world: World) -> None:
    model = world.sdk().models.retrieve("echo")
    assert (model.id, model.object, model.created) == ("echo", "model", 1_767_323_045)


def test_model_info_has_the_originals_form_and_no_secret(world: World) -> None:
    with world.http() as http:
        answer = http.get("/v2/serve/model/info")
    entries = {entry["model_name"]: entry for entry in answer.json()["data"]}
    assert entries["minilm"]["model_info"]["mode"] == "embedding"
    assert entries["echo"]["litellm_params"] == {"model": "openai/echo"}
    assert "http" not in answer.text and "arn:" not in answer.text


def test_health_needs_no_credential(world: World) -> None:
    with world.http(None) as http:
        assert http.get("/health").json() == {"status": "OK"}
        assert http.get("/v2/serve/health/readiness").json()["status"] == "healthy"
        assert http.get("/v2/serve/health/liveliness").status_code == 200


def test_changes_of_the_table_are_seen(world: World) -> None:
    def status() -> int:
        with world.http() as http:
            return http.get("/v1/models/late").status_code

    assert status() == 404
    world.account.register("late", "openai/echo", "http://up/v1")
    eventually(lambda: status() == 200)
    world.account.models.delete_item(Key={"modelId": "late"})
    eventually(lambda: status() == 404)


async def test_last_good_snapshot_stays_while_the_table_is_away() -> None:
    answers: list[Iterable[Mapping[str, Any]] | Exception] = [[row("a")], RuntimeError("away"), [row("b")]]

    def read() -> Iterable[Mapping[str, Any]]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    registry = Registry(read, 1)
    with pytest.raises(UnavailableError):
        registry.find("a", ADA)
    assert await registry.refresh() and registry.is_ready
    assert not await registry.refresh()
    assert registry.find("a", ADA).model_id == "a"
    assert await registry.refresh()
    with pytest.raises(ModelNotFoundError):
        registry.find("a", ADA)


async def test_one_bad_row_does_not_hide_the_others() -> None:
    registry = Registry(lambda: [{"modelId": "broken"}, row("evil", modelUrl="http://user:pw@host/v1"), row("ok")], 1)
    await registry.refresh()
    assert [target.model_id for target in registry.visible_to(ADA)] == ["ok"]


def keyed(last_modified: str = "1") -> ModelRow:
    return ModelRow.model_validate(row("a", apiKeySecretArn="arn:1", lastModified=last_modified))


async def test_provider_key_is_read_once_until_it_ages_or_the_row_changes() -> None:
    now, reads = [0.0], []

    def read(arn: str) -> str:
        reads.append(arn)
        return f"key-{len(reads)}"

    keys = ProviderKeys(read, 60, lambda: now[0])
    assert keys.peek(keyed()) is None
    assert [await keys.get(keyed()), await keys.get(keyed()), keys.peek(keyed())] == ["key-1"] * 3
    assert await keys.get(keyed("2")) == "key-2"
    now[0] = 61
    assert await keys.get(keyed("2")) == "key-3"
    keys.expire(keyed("2"))
    assert await keys.get(keyed("2")) == "key-4"


async def test_provider_key_outlives_an_outage_but_is_never_guessed() -> None:
    answers: list[str | Exception] = ["key", RuntimeError("away"), RuntimeError("away")]

    def read(_arn: str) -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    keys = ProviderKeys(read, 60)
    await keys.get(keyed())
    keys.expire(keyed())
    assert await keys.get(keyed()) == "key"
    with pytest.raises(UnavailableError):
        await ProviderKeys(read, 60).get(keyed())


@pytest.mark.parametrize("key", ["two\nlines", "k\r\nX-Admin: yes", "schlüssel", "nul\0"])
async def test_provider_key_that_fits_no_header_is_refused(key: str) -> None:
    with pytest.raises(UnavailableError, match="fits no header"):
        await ProviderKeys(lambda _arn: key, 60).get(keyed())


async def test_model_without_a_key_asks_for_none() -> None:
    def read(_arn: str) -> str:
        raise AssertionError

    assert await ProviderKeys(read, 60).get(ModelRow.model_validate(row("a"))) == ""
