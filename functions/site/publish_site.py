"""The custom resource `Site`: puts the page that lies in this artifact under `site/` into the bucket."""

from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from lisa.site import wiring
from lisa.site.custom_resource import fulfil
from lisa.stack_request import report

logger = Logger()
FOLDER = Path(__file__).parents[2] / "site"


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    answer = fulfil(event, wiring.store, FOLDER)
    logger.info("site published", status=answer["Status"], reason=answer.get("Reason"))
    report(event.get("ResponseURL"), answer)
    return answer
