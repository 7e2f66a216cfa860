"""State `DeleteRepositoryDocuments` of statemachines/delete_repository.asl.yaml."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from lisa.repositories import tasks, wiring
from lisa.repositories.schemas import RepositoryTask
from lisa.schemas import now

RESERVE_MS = 20_000  # left for the call that is going on when the time is up


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    turn = tasks.delete_documents(
        wiring.repositories(),
        wiring.collections(),
        wiring.purge(),
        RepositoryTask.model_validate(event),
        lambda: context.get_remaining_time_in_millis() > RESERVE_MS,
        now(),
    )
    return turn.model_dump(by_alias=True, mode="json")
