"""Plain HTTP(S) reads from the identity provider."""

import json
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.parse import urlsplit

from lisa.errors import UnauthorizedError, UnavailableError

TIMEOUT_SECONDS = 5
MAX_ANSWER_BYTES = 1024 * 1024


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the bearer token to another host."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


def fetch_json(url: str, bearer: str | None = None) -> dict[str, Any]:
    """The JSON object at an http or https address.

    Raises: UnauthorizedError when the provider refuses the bearer, UnavailableError for everything else.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise UnavailableError("The sign-in provider's address must begin with http or https. Correct the settings.")
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310 - scheme checked above
    if bearer:
        request.add_unredirected_header("Authorization", f"Bearer {bearer}")
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT_SECONDS) as answer:
            body = answer.read(MAX_ANSWER_BYTES + 1)
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            raise UnauthorizedError("The sign-in provider refused this token.") from error
        raise UnavailableError(f"The sign-in provider answered {error.code}. Try again.") from error
    except (OSError, HTTPException) as error:
        raise UnavailableError("The sign-in provider cannot be reached. Try again.") from error
    try:
        parsed = json.loads(body) if len(body) <= MAX_ANSWER_BYTES else None
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise UnavailableError("The sign-in provider's answer is not the JSON that was expected.")
    return parsed
