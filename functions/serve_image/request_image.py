"""The custom resource `ServeImage`: starts statemachines/build_serve_image.asl.yaml, which answers CloudFormation."""

from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from lisa.serve_image import service, wiring
from lisa.stack_request import report

logger = Logger()
SOURCES = Path(__file__).parents[2] / "sources"


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any] | None:
    answer = service.request_image(event, SOURCES, wiring.store, wiring.machine, wiring.repository)
    logger.info("image requested", status=answer["Status"] if answer else "IN_PROGRESS")
    if answer:
        report(event.get("ResponseURL"), answer)
    return answer
