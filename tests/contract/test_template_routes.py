"""API Gateway knows exactly the routes that the functions answer."""

import importlib
import re
from typing import Any

import pytest

from tests.fixtures.template import functions, template

API = template()["Resources"]["Api"]["Properties"]
# The page must load before anybody can sign in; the API's description says nothing that the sources do not.
PUBLIC = {
    "SiteFunction": {("GET", "/"), ("GET", "/{}")},
    "ModelsFunction": {("GET", "/docs"), ("GET", "/openapi.json")},
}
SERVE_PATHS = {"/v1/{proxy+}", "/v2/serve/{proxy+}", "/anthropic/{proxy+}"}


def api_events(function: dict[str, Any]) -> list[dict[str, Any]]:
    return [event["Properties"] for event in function.get("Events", {}).values() if event["Type"] == "Api"]


def answering() -> dict[str, dict[str, Any]]:
    return {name: function for name, function in functions().items() if api_events(function)}


def shape(path: str) -> str:
    """A path without the names of its variables: the two sides name them in their own ways."""
    return re.sub(r"\{[^}]+\}|<[^>]+>", "{}", path)


def routes_in_template(function: dict[str, Any]) -> set[tuple[str, str]]:
    return {(event["Method"], shape(event["Path"])) for event in api_events(function)}


@pytest.mark.parametrize("name", sorted(answering().keys() - {"SiteFunction"}))  # the page has no routes of its own
def test_template_and_code_have_the_same_routes(name: str) -> None:
    function = answering()[name]
    app = importlib.import_module(function["Handler"].removesuffix(".handler")).app
    in_code = {(route.method, shape(route.path)) for route in app._static_routes + app._dynamic_routes}
    assert routes_in_template(function) == in_code


def test_no_route_is_answered_twice() -> None:
    every = [route for function in answering().values() for route in sorted(routes_in_template(function))]
    assert len(every) == len(set(every))


def test_variables_at_the_same_place_have_the_same_name() -> None:
    """API Gateway allows one variable below each path."""
    names: dict[str, str] = {}
    for function in answering().values():
        for event in api_events(function):
            steps = event["Path"].split("/")
            for place, step in enumerate(steps):
                if step.startswith("{") and not step.endswith("+}"):
                    before = shape("/".join(steps[:place]))
                    assert names.setdefault(before, step) == step, event["Path"]


def test_methods_are_said_one_by_one() -> None:
    for function in answering().values():
        assert all(event["Method"] in ("GET", "POST", "PUT", "DELETE") for event in api_events(function))


def test_only_the_page_and_the_description_are_open_to_everybody() -> None:
    assert API["Auth"]["DefaultAuthorizer"] == "Caller"
    found: dict[str, set[tuple[str, str]]] = {}
    for name, function in answering().items():
        for event in api_events(function):
            if "Auth" in event:
                assert event["Auth"] == {"Authorizer": "NONE"}
                found.setdefault(name, set()).add((event["Method"], shape(event["Path"])))
    assert found == PUBLIC


def test_the_authorizer_is_cached_by_the_credential() -> None:
    authorizer = API["Auth"]["Authorizers"]["Caller"]
    assert authorizer["Identity"] == {"Headers": ["Authorization"], "ReauthorizeEvery": 60}


def test_serve_is_reached_through_a_stream_to_its_load_balancer() -> None:
    paths = API["DefinitionBody"]["paths"]
    assert paths.keys() == SERVE_PATHS
    for path, item in paths.items():
        condition, there, otherwise = item["Fn::If"]
        assert (condition, otherwise) == ("HasServe", {"Ref": "AWS::NoValue"})
        method = there["x-amazon-apigateway-any-method"]
        integration = method["x-amazon-apigateway-integration"]
        assert method["security"] == [{"NONE": []}]
        assert integration["uri"] == {"Fn::Sub": "http://${ServeLoadBalancer.DNSName}" + path.replace("+", "")}
        assert integration["requestParameters"] == {"integration.request.path.proxy": "method.request.path.proxy"}
        assert integration["integrationTarget"] == {"Ref": "ServeLoadBalancer"}
        assert (integration["type"], integration["responseTransferMode"]) == ("http_proxy", "STREAM")
        assert integration["timeoutInMillis"] == 15 * 60 * 1000


def test_refusals_of_the_gateway_have_our_shape() -> None:
    for name, response in API["GatewayResponses"].items():
        (body,) = response["ResponseTemplates"].values()
        assert re.match(r'^\{"code":"[a-z_]+","message":.+,"requestId":"\$context\.requestId"\}$', body.strip()), name


def test_the_access_log_has_neither_questions_nor_credentials() -> None:
    log = API["AccessLogSetting"]["Format"]
    for never in ("$context.path", "querystring", "header", "authorizer.claims", "requestOverride"):
        assert never not in log
