"""What the authorizer answers to API Gateway."""

import json
from typing import Any

from lisa.auth.schemas import Caller


def policy_for(caller: Caller | None, method_arn: str) -> dict[str, Any]:
    """Allows or denies the whole stage: API Gateway reuses the answer for other routes while it is cached."""
    stage = "/".join(method_arn.split("/")[:2])
    statement = {
        "Action": "execute-api:Invoke",
        "Effect": "Allow" if caller else "Deny",
        "Resource": f"{stage}/*",
    }
    policy: dict[str, Any] = {
        "principalId": caller.username if caller else "refused",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }
    if caller:
        policy["context"] = {
            "username": caller.username,
            "groups": json.dumps(sorted(caller.groups)),
            "authType": caller.auth_type.value,
        }
    return policy
