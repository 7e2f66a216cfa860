"""States `ReportImage` and `ReportFailure` of statemachines/build_serve_image.asl.yaml."""

from typing import Any

from lisa.serve_image import service


def handler(event: dict[str, Any], _context: object) -> None:
    service.report(service.ImageResult.model_validate(event))
