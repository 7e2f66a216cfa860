"""Models through the handlers: rows, secrets and executions as AWS has them."""

from datetime import timedelta
from typing import Any

import boto3
import pytest
from lisa.models.transitions import LIMIT
from lisa.schemas import now

from functions.models import apply_model_update, register_model
from tests.fixtures.control_plane import ADA, ADMIN, Answer, Person
from tests.functional.models.conftest import Registry

MINI = {"modelId": "mini", "modelName": "openai/mini", "modelType": "textgen", "modelUrl": "http://127.0.0.1:8082/v1"}
EMBEDDER = MINI | {"modelId": "minilm", "modelType": "embedding"}
PHYSICIST = Person("cleo", ("physics",))


def call(registry: Registry, method: str, path: str, person: Person = ADMIN, body: Any = None) -> Answer:
    return registry.cloud.call("functions.models.api", method, path, person, body)


def create(registry: Registry, **fields: Any) -> str:
    """A model in service, as its machine leaves it."""
    body = MINI | fields
    answer = call(registry, "POST", "/models", body=body)
    assert answer.status == 200, answer.body
    register_model.handler(registry.tasks("create_model")[-1], None)
    return str(body["modelId"])


def test_created_model_is_creating_then_in_service(registry: Registry) -> None:
    answer = call(registry, "POST", "/models", body=MINI | {"multiModal": True, "baseImage": "x", "hostingType": None})
    assert answer.status == 200
    assert answer.body["model"]["status"] == "Creating"
    assert answer.body["model"]["hostingType"] == "third_party"
    (task,) = registry.tasks("create_model")
    assert register_model.handler(task, None)["status"] == "InService"
    assert call(registry, "GET", "/models/mini").body["model"]["status"] == "InService"


def test_registration_twice_is_registration_once(registry: Registry) -> None:
    create(registry)
    (task,) = registry.tasks("create_model")
    assert register_model.handler(task, None)["status"] == "InService"


def test_second_model_of_the_same_id_is_a_conflict_and_keeps_no_key(registry: Registry) -> None:
    create(registry)
    answer = call(registry, "POST", "/models", body=MINI | {"apiKey": "sk-2"})
    assert (answer.status, answer.body["code"]) == (409, "conflict")
    assert len(registry.tasks("create_model")) == 1
    assert registry.secrets() == []


def test_key_is_in_secrets_manager_and_nowhere_else(registry: Registry) -> None:
    answer = call(registry, "POST", "/models", body=MINI | {"modelId": "v2:0.a", "apiKey": "sk-verysecret"})
    row = registry.row("v2:0.a")
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=row["apiKeySecretArn"])
    assert secret["SecretString"] == "sk-verysecret"
    assert secret["Name"].startswith("lisa/models/v2+0.a-")
    for place in (answer.body, row, registry.tasks("create_model")):
        assert "verysecret" not in str(place)
    assert "apiKeySecretArn" not in answer.body["model"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"hostingType": "LISA_HOSTED"}, 422),
        ({"instanceType": "g5.xlarge"}, 422),
        ({"hostingType": "INTERNAL_HOSTED", "modelUrl": None}, 422),
        ({"modelType": "embedding", "streaming": True}, 422),
        ({"modelUrl": "http://169.254.169.254/latest"}, 422),
        ({"modelUrl": "ftp://models.example"}, 422),
        ({"modelId": "a/b"}, 422),
        ({"modelId": None}, 422),
        ({"modelType": "oracle"}, 422),
        ({"contextWindow": 0}, 422),
    ],
)
def test_bad_model_is_refused_with_a_reason(registry: Registry, change: dict[str, Any], status: int) -> None:
    answer = call(registry, "POST", "/models", body=MINI | change)
    assert answer.status == status
    assert answer.body["message"] and answer.body["requestId"]
    assert registry.models.scan()["Items"] == []


def test_self_hosting_is_refused_in_words(registry: Registry) -> None:
    answer = call(registry, "POST", "/models", body=MINI | {"hostingType": "lisa_hosted"})
    assert "self-hosting is not in this version" in answer.body["message"]


def test_only_admins_change_models(registry: Registry) -> None:
    create(registry)
    for method, path, body in (
        ("POST", "/models", MINI | {"modelId": "other"}),
        ("PUT", "/models/mini", {"modelDescription": "x"}),
        ("PUT", "/models/mini/context-window", {"contextWindow": 5}),
        ("DELETE", "/models/mini", None),
    ):
        assert call(registry, method, path, ADA, body).status == 403


def test_people_see_the_models_of_their_groups(registry: Registry) -> None:
    create(registry)
    create(registry, modelId="closed", allowedGroups=["physics"])
    seen = {
        person.username: [m["modelId"] for m in call(registry, "GET", "/models", person).body["models"]]
        for person in (ADA, PHYSICIST, ADMIN)
    }
    assert seen == {"ada": ["mini"], "cleo": ["closed", "mini"], "root": ["closed", "mini"]}
    assert call(registry, "GET", "/models/closed", ADA).status == 404
    assert call(registry, "GET", "/models/closed", PHYSICIST).status == 200


def test_unknown_model_is_not_found(registry: Registry) -> None:
    for method, body in (("GET", None), ("PUT", {"enabled": False}), ("DELETE", None)):
        answer = call(registry, method, "/models/nope", body=body)
        assert (answer.status, answer.body["code"]) == (404, "not_found")


def test_instances_are_a_list(registry: Registry) -> None:
    assert call(registry, "GET", "/models/metadata/instances", ADA).body == []


def test_metadata_change_returns_to_the_state_before(registry: Registry) -> None:
    create(registry, allowedGroups=["physics"])
    change: dict[str, Any] = {"modelDescription": "new", "allowedGroups": [], "streaming": None, "contextWindow": 4096}
    assert call(registry, "PUT", "/models/mini", body=change).body["model"]["status"] == "Updating"
    assert apply_model_update.handler(registry.tasks("update_model")[-1], None)["status"] == "InService"
    model = call(registry, "GET", "/models/mini").body["model"]
    assert (model["status"], model["modelDescription"], model["allowedGroups"]) == ("InService", "new", [])
    assert (model["contextWindow"], model["modelUrl"]) == (4096, MINI["modelUrl"])


def test_model_stops_and_starts(registry: Registry) -> None:
    create(registry)
    for enabled, through, end in ((False, "Stopping", "Stopped"), (True, "Starting", "InService")):
        answer = call(registry, "PUT", "/models/mini", body={"enabled": enabled})
        assert answer.body["model"]["status"] == through
        again = call(registry, "PUT", "/models/mini", body={"enabled": enabled})
        assert (again.status, again.body["code"]) == (400, "bad_request")
        assert apply_model_update.handler(registry.tasks("update_model")[-1], None)["status"] == end
        assert registry.row("mini")["status"] == end


def test_refused_transition_says_which_states_would_do(registry: Registry) -> None:
    create(registry)
    answer = call(registry, "PUT", "/models/mini", body={"enabled": True})
    assert answer.status == 400
    assert "Stopped or Failed" in answer.body["message"]


@pytest.mark.parametrize("change", [{"enabled": True}, {"modelUrl": "https://models.example/v1"}])
def test_failed_model_can_be_mended(registry: Registry, change: dict[str, Any]) -> None:
    call(registry, "POST", "/models", body=MINI)
    registry.models.update_item(
        Key={"modelId": "mini"},
        UpdateExpression="SET #s = :s, failureReason = :r",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": "Failed", ":r": "broken"},
    )
    assert call(registry, "PUT", "/models/mini", body=change).status == 200
    apply_model_update.handler(registry.tasks("update_model")[-1], None)
    model = call(registry, "GET", "/models/mini").body["model"]
    assert (model["status"], model["failureReason"]) == ("InService", None)


def test_model_that_nobody_works_at_any_more_counts_as_failed(registry: Registry) -> None:
    call(registry, "POST", "/models", body=MINI)
    assert call(registry, "DELETE", "/models/mini").status == 409
    old = (now() - LIMIT - timedelta(seconds=1)).isoformat()
    registry.models.update_item(
        Key={"modelId": "mini"}, UpdateExpression="SET lastModified = :t", ExpressionAttributeValues={":t": old}
    )
    model = call(registry, "GET", "/models/mini").body["model"]
    assert model["status"] == "Failed"
    assert "interrupted" in model["failureReason"]
    assert call(registry, "DELETE", "/models/mini").status == 200


@pytest.mark.parametrize("body", [{}, {"enabled": None}, {"unknown": 1}])
def test_update_without_a_change_is_refused(registry: Registry, body: dict[str, Any]) -> None:
    create(registry)
    assert call(registry, "PUT", "/models/mini", body=body).status == 422


def test_update_that_makes_no_sense_with_the_rest_is_refused(registry: Registry) -> None:
    create(registry, modelId="minilm", modelType="embedding")
    answer = call(registry, "PUT", "/models/minilm", body={"streaming": True})
    assert (answer.status, answer.body["code"]) == (422, "invalid")
    assert registry.row("minilm")["status"] == "InService"


def test_new_key_replaces_the_old_one(registry: Registry) -> None:
    create(registry, apiKey="sk-old")
    old = registry.row("mini")["apiKeySecretArn"]
    call(registry, "PUT", "/models/mini", body={"apiKey": "sk-new"})
    (task,) = registry.tasks("update_model")
    assert "sk-new" not in str(task)
    assert apply_model_update.handler(task, None)["replacedSecretArn"] == old
    new = registry.row("mini")["apiKeySecretArn"]
    assert boto3.client("secretsmanager").get_secret_value(SecretId=new)["SecretString"] == "sk-new"


def test_registration_fails_in_words_when_the_key_is_gone(registry: Registry) -> None:
    call(registry, "POST", "/models", body=MINI | {"apiKey": "sk-1"})
    boto3.client("secretsmanager").delete_secret(SecretId=registry.row("mini")["apiKeySecretArn"])
    with pytest.raises(Exception, match="key is gone"):
        register_model.handler(registry.tasks("create_model")[0], None)


def test_context_window_is_set_at_once(registry: Registry) -> None:
    create(registry)
    answer = call(registry, "PUT", "/models/mini/context-window", body={"contextWindow": 8192})
    assert (answer.body["model"]["contextWindow"], answer.body["model"]["status"]) == (8192, "InService")
    assert call(registry, "PUT", "/models/mini/context-window", body={"contextWindow": -1}).status == 422


def test_deletion_starts_with_the_arn_of_the_key(registry: Registry) -> None:
    create(registry, apiKey="sk-1")
    arn = registry.row("mini")["apiKeySecretArn"]
    assert call(registry, "DELETE", "/models/mini").body["model"]["status"] == "Deleting"
    (task,) = registry.tasks("delete_model")
    assert (task["modelId"], task["apiKeySecretArn"]) == ("mini", arn)
    assert task["changedAt"] == registry.row("mini")["lastModified"]


@pytest.mark.parametrize("where", ["repository", "collection"])
def test_embedding_model_in_use_is_not_deleted(registry: Registry, where: str) -> None:
    create(registry, modelId="minilm", modelType="embedding")
    of_repository = {"embeddingModelId": "minilm"} if where == "repository" else {}
    registry.repositories.put_item(Item={"repositoryId": "docs", "type": "pgvector"} | of_repository)
    if where == "collection":
        registry.collections.put_item(
            Item={"repositoryId": "docs", "collectionId": "c", "name": "Papers", "embeddingModel": "minilm"}
        )
    answer = call(registry, "DELETE", "/models/minilm")
    assert answer.status == 409
    assert ("Papers" if where == "collection" else "docs") in answer.body["message"]
    assert registry.row("minilm")["status"] == "InService"


def test_model_is_failed_when_its_work_cannot_be_started(registry: Registry) -> None:
    registry.cloud.configure(CREATE_MODEL_MACHINE=registry.machines["create_model"] + "-gone")
    answer = call(registry, "POST", "/models", body=MINI)
    assert (answer.status, answer.body["code"]) == (503, "unavailable")
    assert registry.row("mini")["status"] == "Failed"


def test_description_of_the_api_is_public(registry: Registry) -> None:
    page = registry.cloud.call("functions.models.api", "GET", "/docs")
    assert (page.status, page.headers["content-type"]) == (200, "text/html")
    assert "/repository/{repositoryId}/similaritySearch" in page.body
    document = registry.cloud.call("functions.models.api", "GET", "/openapi.json")
    assert document.body["paths"]["/models"]["post"]["operationId"] == "modelsCreateModel"
