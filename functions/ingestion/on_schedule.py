"""Every five minutes: fails documents that went silent."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from lisa.events import publish
from lisa.ingestion import wiring
from lisa.ingestion.sweeping import failures, sweep
from lisa.schemas import now

logger = Logger()


@logger.inject_lambda_context(log_event=False)
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    swept = sweep(wiring.progress(), wiring.ingest_machine(), wiring.delete_machine(), now())
    publish(*wiring.bus(), failures(swept))
    logger.info("swept", documents=[document.document_id for document in swept])
