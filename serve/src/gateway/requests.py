"""What a caller may ask: a body that names a model, without fields that could redirect the call."""

# ruff: noqa: SIM905 - lists of words read best as text

import json
import re
from typing import Any, NamedTuple

import orjson
from lisa.errors import BadRequestError

from gateway.form import LIST, FormFile, parse_form
from gateway.limits.estimates import ANSWER_NUMBERS
from gateway.operations import RESPONSES, Operation

# Keys that tell LiteLLM, or a proxy like it behind us, to call somewhere else or as somebody else; compared without
# case, `_` and `-`.
REDIRECTING = frozenset(
    "apibase apitype apiversion basemodel customllmprovider ddagentport ddsite defaultheaders deploymentid"
    " deploymenturl extraheaders extraquery gcsbucketname headers httpclient mockresponse modellist nvcffunctionid"
    " providerspecificheader proxyserverrequest requestheaders routersettingsoverride signozingestionendpoint"
    " sslverify userapikeyauthmetadata userconfig usessl".split()
)
REDIRECTING_PREFIXES = ("aws", "azure", "vertex", "watsonx", "sagemaker", "litellm")
REDIRECTING_ENDINGS = ("apikey", "apiurl", "baseurl", "endpointurl", "host", "webhookurl")
OTHER_MODELS = "fallbacks"
# What callers write for the model itself: names in there are theirs.
CONTENT = frozenset(
    "documents format function_call functions guided_json input instructions lisa logit_bias messages model"
    " output_config output_format prediction prompt query response_format stop stop_sequences structured_outputs"
    " suffix system text thinking tool_choice tools user voice".split()
)
PLAIN = frozenset(
    "cache_control dimensions echo encoding_format frequency_penalty logprobs max_completion_tokens max_tokens n"
    " parallel_tool_calls presence_penalty reasoning_effort seed service_tier store stream temperature top_k"
    " top_logprobs top_p".split()
)
MAX_DEPTH = 8
MAX_VALUES = 50_000  # that are looked into: meanwhile everybody else waits
_FORM_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_SEPARATORS = re.compile(r"[][.]+")  # as forms write nested names: `metadata[api_base]`


class Parsed(NamedTuple):
    """A body that may be passed on: its JSON or the text fields of its form, and the form's files."""

    body: dict[str, Any]
    files: tuple[FormFile, ...] = ()


async def parse_body(raw: bytes, content_type: str, operation: Operation) -> Parsed:
    """JSON, or a form where the operation takes one. Raises: BadRequestError that says what to change."""
    if content_type[:19].lower() == "multipart/form-data":
        if not operation.takes_form:
            raise BadRequestError("This route takes application/json.")
        fields, files = await parse_form(content_type, raw)
        return Parsed(checked(fields, operation, frozenset(file.name for file in files)), files)
    return Parsed(parse(raw, operation))


def parse(raw: bytes, operation: Operation) -> dict[str, Any]:
    """The JSON body of a call. Raises: BadRequestError that says what to change."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"The body is not valid JSON: line {error.lineno}, column {error.colno}.") from None
    if not isinstance(body, dict):
        raise BadRequestError("The body has to be a JSON object.")
    if not isinstance(body.get("stream"), bool | None):
        raise BadRequestError("`stream` has to be true or false.")
    return checked(body, operation)


def checked(body: dict[str, Any], operation: Operation, files: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The same body. Raises: BadRequestError when it lacks something or could redirect the call."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise BadRequestError("`model` is missing. Name one that GET /v1/models lists.")
    if all(body.get(name) is None and name not in files for name in (operation.required, *operation.instead)):
        raise BadRequestError(f"`{operation.required}` is missing.")
    if operation.required == "messages":
        messages = body["messages"]
        if not isinstance(messages, list) or not messages or set(map(type, messages)) != {dict}:
            raise BadRequestError("`messages` has to be a list of one or more objects.")
    if operation is RESPONSES and body.get("background"):  # nor would anybody count what it uses
        raise BadRequestError("`background` is not allowed: no route fetches the answer later.")
    for name in ANSWER_NUMBERS:
        if name in body and not _is_whole(body[name], operation):
            raise BadRequestError(f"`{name}` has to be a whole number.")
    search = _Search()
    search.count(len(body))
    for name, value in body.items():
        if name.endswith(LIST):  # what reads it as `name` would read another value than was checked
            raise BadRequestError(f"`{name[:64]}`: leave the `{LIST}` out.")
        if name not in PLAIN and name not in CONTENT:
            search.refuse_redirection(name, value, MAX_DEPTH)
    return body


def _is_whole(value: Any, operation: Operation) -> bool:
    """Limits reckon with it, and an upstream may read `9.0` and `"9"` as numbers too. A form has only text."""
    is_text = operation.takes_form and isinstance(value, str) and bool(_FORM_NUMBER.fullmatch(value))
    return value is None or type(value) is int or is_text


def encoded(body: dict[str, Any]) -> bytes:
    """The body for an upstream. Raises: BadRequestError for one that is nested deeper than orjson writes."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError as error:
        raise BadRequestError("The body is nested too deeply.") from error


class _Search:
    """Looks for names that redirect, in all that one body holds."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def count(self, values: int) -> None:
        """Raises: BadRequestError when it is too much."""
        self._left -= values
        if self._left < 0:
            raise BadRequestError(f"Beside the content for the model the body has over {MAX_VALUES:,} values.")

    def refuse_redirection(self, name: str, value: Any, depth: int) -> None:
        """Raises: BadRequestError."""
        parts = _SEPARATORS.split(name.lower().replace("_", "").replace("-", ""))
        if any(map(_redirects, parts)):
            raise BadRequestError(
                f"`{name[:64]}` is not allowed: where a call goes is part of the model's registration."
            )
        if depth == 0:
            raise BadRequestError(f"`{name[:64]}` is nested too deeply.")
        if isinstance(value, dict):
            self.count(len(value))
            for inner_name, inner in value.items():
                self.refuse_redirection(inner_name, inner, depth - 1)
        elif isinstance(value, list):
            self.count(len(value))
            for inner in value:
                if isinstance(inner, dict | list) or _may_be_json(inner):
                    self.refuse_redirection("", inner, depth - 1)
        elif _may_be_json(value):
            self.count(sum(map(value.count, ",[{")))  # before it is unpacked, which takes a while, too
            self.refuse_redirection("", _unpacked(value), depth - 1)


def _redirects(part: str) -> bool:
    return (
        part in REDIRECTING
        or OTHER_MODELS in part
        or part.startswith(REDIRECTING_PREFIXES)
        or (part.endswith(REDIRECTING_ENDINGS) and part != "host")  # alone it is the caller's, in `metadata`
    )


def _may_be_json(value: Any) -> bool:
    """Forms carry objects as text, and proxies like LiteLLM's unpack it."""
    return isinstance(value, str) and value.lstrip()[:1] in ("{", "[", '"')


def _unpacked(text: str) -> Any:
    """What is in the text; None where it is no JSON. Raises: BadRequestError."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(text)  # also what a proxy in Python takes beside JSON: NaN, 1e999, half characters
    except ValueError:
        return None
    except RecursionError:
        raise BadRequestError("A text in the body is JSON that is nested too deeply.") from None
