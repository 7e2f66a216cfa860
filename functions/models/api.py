"""/models: the registry of AI models; and, as in the original, /docs: the description of the whole API."""

from typing import Any
from urllib.parse import unquote

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response, content_types
from aws_lambda_powertools.utilities.typing import LambdaContext
from lisa import reference
from lisa.http import api, caller
from lisa.models import service, wiring
from lisa.models.schemas import (
    ContextWindowRequest,
    CreateModelRequest,
    ModelAnswer,
    ModelsAnswer,
    UpdateModelRequest,
)
from lisa.models.wiring import ModelSettings
from lisa.schemas import now

app = api()
logger = Logger()


@app.get("/models")
def list_models() -> ModelsAnswer:
    return ModelsAnswer(models=service.list_models(wiring.models(), caller(app), now()))


@app.post("/models")
def create_model(request: CreateModelRequest) -> ModelAnswer:
    machine = wiring.machine(ModelSettings.load().create_model_machine)
    model = service.create_model(wiring.models(), wiring.keys(), machine, caller(app), request, now())
    logger.info("model creation started", model_id=model.model_id)
    return ModelAnswer(model=model)


@app.get("/models/metadata/instances")
def list_instances() -> list[str]:
    """Instance types for self-hosted models; none, as long as this version hosts none."""
    caller(app)
    return []


@app.get("/models/<model_id>")
def get_model(model_id: str) -> ModelAnswer:
    return ModelAnswer(model=service.get_model(wiring.models(), caller(app), unquote(model_id), now()))


@app.put("/models/<model_id>")
def update_model(model_id: str, request: UpdateModelRequest) -> ModelAnswer:
    machine = wiring.machine(ModelSettings.load().update_model_machine)
    model = service.update_model(
        wiring.models(), wiring.keys(), machine, caller(app), unquote(model_id), request, now()
    )
    logger.info("model update started", model_id=model_id)
    return ModelAnswer(model=model)


@app.put("/models/<model_id>/context-window")
def set_context_window(model_id: str, request: ContextWindowRequest) -> ModelAnswer:
    model = service.set_context_window(wiring.models(), caller(app), unquote(model_id), request.context_window, now())
    return ModelAnswer(model=model)


@app.delete("/models/<model_id>")
def delete_model(model_id: str) -> ModelAnswer:
    machine = wiring.machine(ModelSettings.load().delete_model_machine)
    model = service.delete_model(
        wiring.models(), wiring.repositories(), wiring.collections(), machine, caller(app), unquote(model_id), now()
    )
    logger.info("model deletion started", model_id=model_id)
    return ModelAnswer(model=model)


@app.get("/docs", include_in_schema=False)
def docs() -> Response[str]:
    return Response(200, content_types.TEXT_HTML, reference.page())


@app.get("/openapi.json", include_in_schema=False)
def openapi() -> Response[str]:
    return Response(200, content_types.APPLICATION_JSON, reference.openapi())


@logger.inject_lambda_context(log_event=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
