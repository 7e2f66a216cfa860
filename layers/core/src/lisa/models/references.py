"""Models that answer for other models: deployments and fallbacks."""

from lisa.errors import InvalidError
from lisa.models.schemas import ModelFields, ModelStatus
from lisa.models.store import ModelReader


def check(store: ModelReader, model: ModelFields) -> None:
    """That what a model names exists and can answer for it.

    Fallbacks may form a circle: the gateway takes those of the model that was asked for, and no further ones.
    Raises: InvalidError.
    """
    for deployment in model.deployments:
        _check_one(store, model, deployment.model_id, "deployment")
    for model_id in model.fallbacks:
        _check_one(store, model, model_id, "fallback")
    if model.deployments:
        _require_no_deployment_itself(store, model.model_id)


def users_of(store: ModelReader, model_id: str) -> list[str]:
    """The ids of the models of which it is a deployment or fallback."""
    return [
        row.model_id
        for row in store.list_all()
        if row.status is not ModelStatus.DELETING
        and (model_id in row.fallbacks or any(part.model_id == model_id for part in row.deployments))
    ]


def _check_one(store: ModelReader, model: ModelFields, model_id: str, role: str) -> None:
    row = store.get(model_id)
    if row is None or row.status is ModelStatus.DELETING:
        raise InvalidError(f"The {role} {model_id!r} is no registered model. Create it first.")
    if row.model_type is not model.model_type:
        raise InvalidError(
            f"The {role} {model_id!r} is of type {row.model_type}; it cannot answer for a model of type "
            f"{model.model_type}."
        )
    if role == "deployment" and row.deployments:
        raise InvalidError(
            f"The deployment {model_id!r} has deployments of its own. Name those instead; only one level is allowed."
        )


def _require_no_deployment_itself(store: ModelReader, model_id: str) -> None:
    for row in store.list_all():
        if any(part.model_id == model_id for part in row.deployments):
            raise InvalidError(
                f"{model_id!r} is a deployment of {row.model_id!r}, so it cannot have deployments: "
                "only one level is allowed."
            )
