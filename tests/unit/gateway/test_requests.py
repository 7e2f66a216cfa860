"""Which bodies may be passed on."""

from typing import Any

import pytest
from gateway.operations import CHAT, COMPLETIONS, EMBEDDINGS, IMAGE_EDITS, IMAGES, RESPONSES, Operation
from gateway.requests import checked
from lisa.errors import BadRequestError

REQUIRED: dict[str, Any] = {"model": "m", "messages": [{}], "prompt": "x", "input": "x"}
NUMBERS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "n_predict", "n", "best_of")


@pytest.mark.parametrize("operation", [CHAT, COMPLETIONS, RESPONSES, EMBEDDINGS, IMAGES, IMAGE_EDITS])
@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [9.0, "9.0", "+9", " 9", "", "9" * 10, True, ["1", "9"], {}])
def test_number_that_an_upstream_might_read_otherwise_than_we_do_is_refused(
    operation: Operation, name: str, value: object
) -> None:
    with pytest.raises(BadRequestError, match=f"^`{name}` has to be a whole number.$"):
        checked({**REQUIRED, name: value}, operation)


@pytest.mark.parametrize("name", NUMBERS)
def test_whole_number_and_none_pass(name: str) -> None:
    for value in (9, -1, 0, None):
        checked({**REQUIRED, name: value}, CHAT)


def test_only_forms_have_numbers_as_text() -> None:
    checked({**REQUIRED, "n": "2"}, IMAGE_EDITS)
    with pytest.raises(BadRequestError):
        checked({**REQUIRED, "n": "2"}, IMAGES)
