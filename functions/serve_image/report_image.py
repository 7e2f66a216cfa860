"""States `ReportImage` and `ReportFailure` of statemachines/build_serve_image.asl.yaml."""

from typing import Any

from lisa.serve_image import service
from lisa.stack_request import report


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    result = service.ImageResult.model_validate(event)
    answer = service.answer_of(result)
    report(result.request.get("ResponseURL"), answer)
    return answer
