"""Changes in the documents bucket: S3 → EventBridge → ObjectChangesQueue → here, ten at a time."""

import json
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from lisa.events import publish
from lisa.ingestion import wiring
from lisa.ingestion.changes import ObjectChange
from lisa.ingestion.intake import take_up
from lisa.schemas import now

processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
logger = Logger()


def on_record(record: SQSRecord) -> None:
    change = ObjectChange.of_event(json.loads(record.body))
    arrival = take_up(wiring.intake(), change, now())
    publish(*wiring.bus(), arrival.events)
    logger.info("object change taken up", document_id=change.document_id, type=change.type, outcome=arrival.outcome)


@logger.inject_lambda_context(log_event=False)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, on_record, processor, context)
