"""The authorizer of the REST API: a credential becomes a policy, a username and groups."""

from typing import Any

import lisa.auth.jwt  # noqa: F401 - while the function is set up, not when its first token waits
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from lisa.auth import wiring
from lisa.auth.policy import policy_for
from lisa.auth.service import credential_of
from lisa.errors import ForbiddenError, UnauthorizedError

logger = Logger()


@logger.inject_lambda_context(log_event=False)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """API Gateway turns the exception "Unauthorized" into a 401, a Deny into a 403 and any other failure into a 500."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    credential = credential_of(headers.get)
    try:
        if credential is None:
            raise UnauthorizedError("No credential was sent.")
        caller = wiring.authenticator().authenticate(credential)
    except UnauthorizedError as error:
        logger.info("credential refused", reason=error.message)
        raise Exception("Unauthorized") from None
    except ForbiddenError as error:
        logger.info("caller refused", reason=error.message)
        return policy_for(None, event["methodArn"])
    logger.debug("caller accepted", auth_type=caller.auth_type)
    return policy_for(caller, event["methodArn"])
