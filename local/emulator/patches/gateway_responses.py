"""The template's GatewayResponses (the one error shape for the API's own 401, 403, 5xx) come with the API."""

from typing import Any


def install() -> None:
    """Store what `x-amazon-apigateway-gateway-responses` of the OpenAPI body says."""
    from ministack.services import apigateway_v1

    original = apigateway_v1._import_rest_api

    def import_rest_api(spec: dict[str, Any], base_data: dict[str, Any] | None = None) -> str:
        api_id: str = original(spec, base_data)
        for kind, response in (spec.get("x-amazon-apigateway-gateway-responses") or {}).items():
            apigateway_v1._put_gateway_response(api_id, kind, gateway_response(response))
        return api_id

    apigateway_v1._import_rest_api = import_rest_api


def gateway_response(response: dict[str, Any]) -> dict[str, Any]:
    """The API's form of one response: the status as text, empty parts left out."""
    status = response.get("statusCode")
    fields = {
        "statusCode": str(status) if status else None,
        "responseParameters": response.get("responseParameters"),
        "responseTemplates": response.get("responseTemplates"),
    }
    return {name: value for name, value in fields.items() if value}
