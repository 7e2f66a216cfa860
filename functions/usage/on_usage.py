"""Batches of usage: Serve → UsageQueue → here, ten at a time."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.base import FailureResponse
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from lisa.errors import AppError
from lisa.schemas import now
from lisa.usage import counting, wiring
from lisa.usage.schemas import Counts

NAMESPACE = "LISA/Usage"
logger = Logger()


class Processor(BatchProcessor):
    """Says why a message failed; its id leads to it in the dead-letter queue."""

    def failure_handler(self, record: Any, exception: Any) -> FailureResponse:
        kind, error, _ = exception
        reason = error.message if isinstance(error, AppError) else kind.__name__
        logger.warning("usage not counted", message_id=record.message_id, reason=reason)
        return super().failure_handler(record, exception)


processor = Processor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def on_record(record: SQSRecord) -> None:
    batch = counting.parse(record.body)
    counted = counting.count(wiring.usage(), batch, now())
    for model_id, counts in counted.items():
        measure(model_id, counts)
    logger.info("usage counted", batch_id=batch.batch_id, records=len(batch.records), is_new=bool(counted))


def measure(model_id: str, counts: Counts) -> None:
    metrics = EphemeralMetrics(namespace=NAMESPACE)  # one line of the log holds one set of dimensions
    metrics.add_dimension("model", model_id)
    metrics.add_metric("Requests", MetricUnit.Count, counts.requests)
    metrics.add_metric("PromptTokens", MetricUnit.Count, counts.prompt_tokens)
    metrics.add_metric("CompletionTokens", MetricUnit.Count, counts.completion_tokens)
    metrics.add_metric("CostMicroUsd", MetricUnit.Count, counts.cost_micro_usd)
    metrics.flush_metrics()


@logger.inject_lambda_context(log_event=False)
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, on_record, processor, context)
