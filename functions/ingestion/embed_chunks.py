"""State `EmbedChunks` of statemachines/ingest_document.asl.yaml: one batch."""

from typing import Any

from lisa import serve_client
from lisa.ingestion import tasks, wiring
from lisa.ingestion.schemas import EmbedTask


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    count = tasks.embed_chunks(wiring.work(), serve_client.embed, EmbedTask.model_validate(event))
    return {"chunkCount": count}
