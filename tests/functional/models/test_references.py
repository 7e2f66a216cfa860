"""Deployments, fallbacks, prices and guardrails of models, through the handlers."""

from typing import Any

import pytest

from functions.models import apply_model_update, register_model
from tests.fixtures.control_plane import ADA
from tests.functional.models.conftest import Registry
from tests.functional.models.test_api import MINI, call, create

POOL: dict[str, Any] = {"modelId": "pool", "modelType": "textgen", "deployments": [{"modelId": "mini", "weight": 3}]}
GUARD: dict[str, Any] = {"guardrailName": "no-secrets", "guardrailIdentifier": "abc123", "mode": "pre_call"}
ARN = "arn:aws:bedrock:us-east-1:123456789012:guardrail/abc123"


def update(registry: Registry, model_id: str, **fields: Any) -> dict[str, Any]:
    """The model after the change and its state machine's step."""
    answer = call(registry, "PUT", f"/models/{model_id}", body=fields)
    assert answer.status == 200, answer.body
    apply_model_update.handler(registry.tasks("update_model")[-1], None)
    return dict(call(registry, "GET", f"/models/{model_id}").body["model"])


def make(registry: Registry, body: dict[str, Any]) -> None:
    answer = call(registry, "POST", "/models", body=body)
    assert answer.status == 200, answer.body
    register_model.handler(registry.tasks("create_model")[-1], None)


def test_model_may_be_nothing_but_its_deployments(registry: Registry) -> None:
    create(registry)
    create(registry, modelId="other")
    make(registry, POOL | {"modelName": None, "fallbacks": ["other"], "maxOutputTokens": 500})
    model = call(registry, "GET", "/models/pool", ADA).body["model"]
    assert model["modelName"] == "lisa/deployments"
    assert model["deployments"] == [{"modelId": "mini", "weight": 3}]
    assert (model["fallbacks"], model["maxOutputTokens"], model["status"]) == (["other"], 500, "InService")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"modelUrl": "http://127.0.0.1/v1"}, "no endpoint of its own"),
        ({"apiKey": "sk-1"}, "no key of its own"),
        ({"deployments": []}, "modelName"),
        ({"deployments": [], "modelName": "lisa/deployments"}, "modelName"),
        ({"deployments": [{"modelId": "pool"}]}, "among its own"),
        ({"deployments": [{"modelId": "mini"}, {"modelId": "mini"}]}, "twice"),
        ({"deployments": [{"modelId": "mini", "weight": 0}]}, "weight"),
        ({"deployments": [{"modelId": "mini", "weight": 1001}]}, "weight"),
        ({"deployments": [{"modelId": "nowhere"}]}, "no registered model"),
        ({"deployments": [{"modelId": "minilm"}]}, "of type embedding"),
        ({"deployments": [{"modelId": "nested"}]}, "only one level"),
        ({"fallbacks": ["pool"]}, "among its own"),
        ({"fallbacks": ["mini", "mini"]}, "twice"),
        ({"fallbacks": ["nowhere"]}, "no registered model"),
        ({"fallbacks": ["minilm"]}, "of type embedding"),
        ({"fallbacks": ["a", "b", "c", "d", "e", "f"]}, "fallbacks"),
    ],
)
def test_routes_that_lead_nowhere_are_refused(registry: Registry, change: dict[str, Any], says: str) -> None:
    create(registry)
    create(registry, modelId="minilm", modelType="embedding")
    make(registry, POOL | {"modelId": "nested"})
    answer = call(registry, "POST", "/models", body=POOL | change)
    assert answer.status == 422, answer.body
    assert says in str(answer.body)
    assert registry.secrets() == []


def test_update_keeps_the_same_rules(registry: Registry) -> None:
    create(registry, apiKey="sk-1")
    create(registry, modelId="other")
    make(registry, POOL)
    for model_id, change, says in (
        ("mini", {"deployments": [{"modelId": "other"}], "modelUrl": "", "apiKey": ""}, "only one level"),
        ("other", {"deployments": [{"modelId": "mini"}]}, "no endpoint of its own"),
        ("other", {"deployments": [{"modelId": "pool"}], "modelUrl": ""}, "only one level"),
        ("other", {"fallbacks": ["nowhere"]}, "no registered model"),
        ("pool", {"apiKey": "sk-2"}, "no key of its own"),
        ("pool", {"deployments": []}, "modelName"),
    ):
        answer = call(registry, "PUT", f"/models/{model_id}", body=change)
        assert answer.status == 422, answer.body
        assert says in answer.body["message"]
        assert registry.row(model_id)["status"] == "InService"


def test_model_becomes_its_deployments_and_an_endpoint_again(registry: Registry) -> None:
    create(registry)
    create(registry, modelId="other", apiKey="sk-1")
    routed = update(registry, "other", deployments=[{"modelId": "mini"}], modelUrl="", apiKey="")
    assert (routed["deployments"], routed["modelUrl"]) == ([{"modelId": "mini", "weight": 1}], None)
    alone = update(registry, "other", deployments=[], modelName="openai/other", modelUrl=MINI["modelUrl"])
    assert (alone["deployments"], alone["modelUrl"]) == ([], MINI["modelUrl"])


def test_fallbacks_may_go_round_in_a_circle(registry: Registry) -> None:
    create(registry)
    create(registry, modelId="other", fallbacks=["mini"])
    assert update(registry, "mini", fallbacks=["other"])["fallbacks"] == ["other"]
    assert update(registry, "mini", fallbacks=[])["fallbacks"] == []


def test_model_that_others_need_is_not_deleted(registry: Registry) -> None:
    create(registry)
    create(registry, modelId="other", fallbacks=["mini"])
    make(registry, POOL)
    answer = call(registry, "DELETE", "/models/mini")
    assert (answer.status, answer.body["code"]) == (409, "conflict")
    assert answer.body["details"] == [{"usedBy": "model 'other'"}, {"usedBy": "model 'pool'"}]
    change = call(registry, "PUT", "/models/mini", body={"modelType": "imagegen"})
    assert change.status == 409
    assert call(registry, "DELETE", "/models/pool").status == 200
    update(registry, "other", fallbacks=[])
    assert call(registry, "DELETE", "/models/mini").status == 200


def test_price_is_kept_exactly(registry: Registry) -> None:
    price = {"inputCostPerToken": 1.5e-07, "outputCostPerToken": 0}
    create(registry, pricing=price)
    assert call(registry, "GET", "/models/mini").body["model"]["pricing"] == price
    dearer = {"inputCostPerToken": 0.0, "outputCostPerToken": 1e-05}
    assert update(registry, "mini", pricing=dearer)["pricing"] == dearer
    assert update(registry, "mini", modelDescription="x")["pricing"] == dearer
    assert update(registry, "mini", pricing="")["pricing"] is None


@pytest.mark.parametrize(
    "price",
    [
        {"inputCostPerToken": 1e-6},
        {"inputCostPerToken": -1e-6, "outputCostPerToken": 0},
        {"inputCostPerToken": 2.5, "outputCostPerToken": 10},  # per million
        {"inputCostPerToken": "free", "outputCostPerToken": 0},
    ],
)
def test_price_that_cannot_be_is_refused(registry: Registry, price: dict[str, Any]) -> None:
    assert call(registry, "POST", "/models", body=MINI | {"pricing": price}).status == 422


def test_limit_of_the_answer_comes_and_goes(registry: Registry) -> None:
    create(registry, maxOutputTokens=100)
    assert update(registry, "mini", maxOutputTokens=200)["maxOutputTokens"] == 200
    assert update(registry, "mini", maxOutputTokens=0)["maxOutputTokens"] is None
    assert call(registry, "PUT", "/models/mini", body={"maxOutputTokens": -1}).status == 422


def test_guardrails_are_shown_with_their_defaults(registry: Registry) -> None:
    create(registry, guardrailsConfig={"g1": GUARD | {"guardrailVersion": None, "allowedGroups": None}})
    assert call(registry, "GET", "/models/mini", ADA).body["model"]["guardrailsConfig"] == {
        "g1": GUARD
        | {"guardrailVersion": "DRAFT", "description": None, "allowedGroups": [], "markedForDeletion": False}
    }


def test_update_adds_replaces_and_removes_guardrails_by_key(registry: Registry) -> None:
    create(registry, guardrailsConfig={"g1": GUARD, "g2": GUARD, "g3": GUARD | {"markedForDeletion": True}})
    model = update(
        registry,
        "mini",
        guardrailsConfig={
            "g1": GUARD | {"markedForDeletion": True},
            "g2": GUARD | {"mode": "post_call", "guardrailIdentifier": ARN, "guardrailVersion": "7"},
            "g4": GUARD | {"allowedGroups": ["physics"]},
            "unknown": GUARD | {"markedForDeletion": True},
        },
    )
    guardrails = model["guardrailsConfig"]
    assert sorted(guardrails) == ["g2", "g4"]
    assert (guardrails["g2"]["mode"], guardrails["g2"]["guardrailVersion"]) == ("post_call", "7")
    assert sorted(update(registry, "mini", guardrailsConfig={})["guardrailsConfig"]) == ["g2", "g4"]


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "logging_only"},
        {"guardrailIdentifier": "No Guardrail"},
        {"guardrailIdentifier": "arn:aws:s3:::bucket"},
        {"guardrailVersion": "latest"},
        {"guardrailName": ""},
    ],
)
def test_guardrail_that_bedrock_would_not_know_is_refused(registry: Registry, change: dict[str, Any]) -> None:
    answer = call(registry, "POST", "/models", body=MINI | {"guardrailsConfig": {"g1": GUARD | change}})
    assert answer.status == 422


def test_rows_of_older_versions_are_read(registry: Registry) -> None:
    create(registry)
    names = ("deployments", "fallbacks", "pricing", "guardrailsConfig", "maxOutputTokens")
    registry.models.update_item(Key={"modelId": "mini"}, UpdateExpression="REMOVE " + ", ".join(names))
    model = call(registry, "GET", "/models/mini").body["model"]
    assert (model["deployments"], model["fallbacks"], model["guardrailsConfig"]) == ([], [], {})
