"""What one state leaves for the next, in the work bucket: `<documentId>/<sequencer>/<jobId>/<kind>/<batch>.jsonl`."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from lisa.errors import UnavailableError
from lisa.ingestion.schemas import DocumentTask, EmbedTask
from lisa.retrieval.schemas import Chunk, EmbeddedChunk

CHUNKS, EMBEDDED = "chunks", "embedded"
AnyTask = DocumentTask | EmbedTask
C = TypeVar("C", Chunk, EmbeddedChunk)


class Work(Protocol):
    def put_chunks(self, task: AnyTask, batch: int, chunks: Sequence[Chunk]) -> None: ...

    def chunks(self, task: AnyTask, batch: int) -> list[Chunk]: ...

    def put_embedded(self, task: AnyTask, batch: int, chunks: Sequence[EmbeddedChunk]) -> None: ...

    def embedded(self, task: AnyTask, batches: Iterable[int]) -> Iterator[EmbeddedChunk]: ...


class S3Work:
    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def put_chunks(self, task: AnyTask, batch: int, chunks: Sequence[Chunk]) -> None:
        self._put(task, CHUNKS, batch, chunks)

    def chunks(self, task: AnyTask, batch: int) -> list[Chunk]:
        return list(self._read(task, CHUNKS, batch, Chunk))

    def put_embedded(self, task: AnyTask, batch: int, chunks: Sequence[EmbeddedChunk]) -> None:
        self._put(task, EMBEDDED, batch, chunks)

    def embedded(self, task: AnyTask, batches: Iterable[int]) -> Iterator[EmbeddedChunk]:
        """The chunks of all batches in order, one batch in memory at a time.

        Raises: UnavailableError when a batch is gone (the bucket keeps them for a day).
        """
        for batch in batches:
            yield from self._read(task, EMBEDDED, batch, EmbeddedChunk)

    def _put(self, task: AnyTask, kind: str, batch: int, chunks: Sequence[Chunk]) -> None:
        lines = "\n".join(chunk.model_dump_json(by_alias=True) for chunk in chunks)
        self._s3.put_object(Bucket=self._bucket, Key=_key(task, kind, batch), Body=lines.encode())

    def _read(self, task: AnyTask, kind: str, batch: int, schema: type[C]) -> Iterator[C]:
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=_key(task, kind, batch))
        except self._s3.exceptions.NoSuchKey as error:
            raise UnavailableError("What an earlier step left for this one is gone. Try the document again.") from error
        for line in answer["Body"].read().decode().split("\n"):
            yield schema.model_validate_json(line)


def _key(task: AnyTask, kind: str, batch: int) -> str:
    return f"{task.document_id}/{task.sequencer}/{task.job_id}/{kind}/{batch:05}.jsonl"
