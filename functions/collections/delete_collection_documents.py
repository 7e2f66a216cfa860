"""State `DeleteCollectionDocuments` of statemachines/delete_collection.asl.yaml."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from lisa.collections import tasks, wiring
from lisa.collections.schemas import CollectionTask
from lisa.repositories.wiring import purge
from lisa.schemas import now

RESERVE_MS = 20_000  # left for the call that is going on when the time is up


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    turn = tasks.delete_documents(
        wiring.collections(),
        purge(),
        CollectionTask.model_validate(event),
        lambda: context.get_remaining_time_in_millis() > RESERVE_MS,
        now(),
    )
    return turn.model_dump(by_alias=True, mode="json")
