"""A crashed handler answers "Internal server error" through the API, as on AWS; ministack tells the exception."""

from typing import Any


def install() -> None:
    """Hide the text, and refuse a result that is no HTTP answer."""
    from ministack.services import apigateway_v1

    original = apigateway_v1._lambda_proxy_response

    def response(result: dict[str, Any]) -> tuple[dict[str, Any] | None, str | None]:
        answer, error = original(result)
        if error or not isinstance(answer, dict) or "statusCode" not in answer:
            return None, "Internal server error"
        return answer, None

    apigateway_v1._lambda_proxy_response = response
