"""The samples of models, repositories and collections work on the handlers that `sam local invoke` would run."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from lisa.errors import ConflictError

from tests.fixtures.control_plane import Context
from tests.fixtures.control_plane import cloud as cloud
from tests.fixtures.shelf import Shelf
from tests.fixtures.shelf import shelf as shelf

SAMPLES = Path(__file__).parents[2] / "events" / "invoke"
APIS = {
    "ModelsFunction": "functions.models.api",
    "RepositoriesFunction": "functions.repositories.api",
    "CollectionsFunction": "functions.collections.api",
}
TASKS = {
    "RegisterModelFunction": "functions.models.register_model",
    "ApplyModelUpdateFunction": "functions.models.apply_model_update",
    "CreateSchemaFunction": "functions.repositories.create_schema",
    "DropSchemaFunction": "functions.repositories.drop_schema",
    "DeleteRepositoryDocumentsFunction": "functions.repositories.delete_repository_documents",
    "DropCollectionFunction": "functions.collections.drop_collection",
    "DeleteCollectionDocumentsFunction": "functions.collections.delete_collection_documents",
}


def invoke(shelf: Shelf, module: str, sample: Path) -> Any:
    machines = {f"{name}_MODEL_MACHINE": "arn:none" for name in ("CREATE", "UPDATE", "DELETE")}
    shelf.cloud.configure(MODEL_SECRET_PREFIX="lisa/models/", **machines)
    return importlib.import_module(module).handler(json.loads(sample.read_text()), Context())


def cases(modules: dict[str, str]) -> list[Any]:
    return [
        pytest.param(module, sample, id=f"{function}-{sample.stem}")
        for function, module in modules.items()
        for sample in sorted((SAMPLES / function).glob("*.json"))
    ]


@pytest.mark.parametrize("function", [*APIS, *TASKS])
def test_every_function_has_a_sample(function: str) -> None:
    assert list((SAMPLES / function).glob("*.json"))


@pytest.mark.parametrize(("module", "sample"), cases(APIS))
def test_http_sample_is_answered(shelf: Shelf, module: str, sample: Path) -> None:
    expected = 404 if "unknown" in sample.stem else 422 if sample.stem.startswith("create_") else 200
    assert invoke(shelf, module, sample)["statusCode"] == expected


@pytest.mark.parametrize(("module", "sample"), cases(TASKS))
def test_task_for_something_that_is_gone_says_so(shelf: Shelf, module: str, sample: Path) -> None:
    if sample.stem == "default":
        assert invoke(shelf, module, sample) == {"more": False, "round": 1}
    else:
        with pytest.raises(ConflictError, match="meanwhile"):
            invoke(shelf, module, sample)
