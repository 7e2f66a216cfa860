"""Retrieval quality through the product's own API, on a running stack: `make eval DATA=<folder>`.

The folder has corpus.jsonl {id, title, text}, queries.jsonl {id, text} and qrels.tsv (query, document, grade). Each
document becomes a text file in the documents bucket and one chunk in the index; what is indexed is not ingested again.
"""

import argparse
import hashlib
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import boto3
import requests

from benchmarks.ranking import ndcg, recall

ROOT = Path(__file__).parent.parent
EMBEDDING_MODEL = "minilm-l6-v2"
MODES = ("vector", "text", "hybrid")
DEPTH = 100
UPLOADS_AT_ONCE = 16
SEARCHES_AT_ONCE = 2
WINDOW = 100  # documents on their way at one time
POLL_SECONDS = 5.0
PAUSES = (1, 2, 4, 8, 16, 16)  # seconds between tries of a stack that is too busy to answer
STALLED_SECONDS = 300.0


class Stack:
    """The running stack as an administrator with an API token sees it."""

    def __init__(self, outputs: dict[str, Any]) -> None:
        self.bucket = outputs["documents_bucket"]
        self._api = outputs["api_url"].rstrip("/")
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {outputs['api_token']}"
        self._session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=UPLOADS_AT_ONCE))
        self.s3 = boto3.client(
            "s3",
            endpoint_url=outputs["aws_endpoint_url"],
            region_name=outputs["region"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def call(self, method: str, path: str, **request: Any) -> Any:
        """The JSON of an answer; ends the program with the API's own message on an error."""
        for pause in PAUSES:
            try:
                answer = self._session.request(method, self._api + path, timeout=120, **request)
            except requests.ConnectionError as error:
                problem = f"cannot be reached: {error}"
            else:
                if answer.ok:
                    return answer.json()
                problem = f"answered {answer.status_code}: {answer.text[:500]}"
                if answer.status_code not in (429, 502, 503, 504):
                    break
            time.sleep(pause)
        sys.exit(f"{method} {path} {problem}")

    def exists(self, path: str) -> bool:
        return self._session.get(self._api + path, timeout=60).ok


class Shelf:
    """The repository and the collection that one data set is indexed in; both are made when absent."""

    def __init__(self, stack: Stack, name: str) -> None:
        self.stack = stack
        self.repository = f"eval-{name}"
        if not stack.exists(f"/repository/{self.repository}"):
            body = {"repositoryId": self.repository, "type": "pgvector", "embeddingModelId": EMBEDDING_MODEL}
            stack.call("POST", "/repository", json=body)
        self._until_ready()
        self.collection = self._collection()

    def _until_ready(self) -> None:
        for _ in range(240):
            status = self.stack.call("GET", "/repository/status").get(self.repository)
            if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
                return
            if status == "CREATE_FAILED":
                break
            time.sleep(0.5)
        sys.exit(f"repository {self.repository} was not made; `make logs` tells why")

    def _collection(self) -> str:
        path, name = f"/repository/{self.repository}/collection", "one chunk a document"
        for found in self.stack.call("GET", path, params={"pageSize": 100})["collections"]:
            if found["name"] == name:
                return str(found["collectionId"])
        body = {"name": name, "embeddingModel": EMBEDDING_MODEL, "chunkingStrategy": {"type": "none"}}
        return str(self.stack.call("POST", path, json=body)["collectionId"])

    def documents(self) -> Iterator[dict[str, Any]]:
        query: dict[str, Any] = {"collectionId": self.collection, "pageSize": 100}
        while True:
            page = self.stack.call("GET", f"/repository/{self.repository}/document", params=query)
            yield from page["documents"]
            last = page.get("lastEvaluated")
            if not last:
                return
            query |= {f"lastEvaluatedKey{k}": last[v] for k, v in LAST_KEYS.items()}

    def named(self, status: str) -> set[str]:
        """Ids of the documents in a state."""
        return {id_of(row["document_name"]) for row in self.documents() if row["status"] == status}

    def put(self, document: dict[str, str]) -> None:
        key = f"{self.repository}/{self.collection}/{quote(document['id'], safe='')}.txt"
        self.stack.s3.put_object(Bucket=self.stack.bucket, Key=key, Body=content(document).encode())

    def search(self, query: str, mode: str) -> list[str]:
        """Document ids, best first."""
        body = {"query": query, "mode": mode, "topK": DEPTH, "collectionId": self.collection}
        answer = self.stack.call("POST", f"/repository/{self.repository}/similaritySearch", json=body)
        return list(dict.fromkeys(id_of(found["Document"]["metadata"]["name"]) for found in answer["docs"]))


LAST_KEYS = {"Pk": "pk", "DocumentId": "document_id", "RepositoryId": "repository_id"}


def content(document: dict[str, str]) -> str:
    return f"{document.get('title', '')}\n\n{document['text']}".strip()


def id_of(name: str) -> str:
    return unquote(name.removesuffix(".txt"))


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def judgements(path: Path) -> dict[str, dict[str, float]]:
    """Query id → document id → grade; a heading line is skipped."""
    found: dict[str, dict[str, float]] = {}
    for line in path.read_text("utf-8").splitlines():
        query, document, grade = line.split("\t")
        if grade.lstrip("-").isdigit():
            found.setdefault(query, {})[document] = float(grade)
    return found


def ingest(shelf: Shelf, corpus: list[dict[str, str]]) -> None:
    """Uploads what is not indexed, never more than WINDOW ahead of the ingestion, with a line of progress.

    An emulator on a laptop starts a process for each call at the same time: a thousand at once would only make it swap.
    """
    wanted = {document["id"]: document for document in corpus if content(document)}
    indexed = shelf.named("INGESTION_COMPLETED")
    waiting = [document for name, document in wanted.items() if name not in indexed]
    already, failed = len(wanted) - len(waiting), set[str]()
    uploaded = set[str]()
    started = moved = time.monotonic()
    while len(indexed) + len(failed) < len(wanted):
        room = WINDOW - len(uploaded - indexed - failed)
        batch, waiting = waiting[:room], waiting[room:]
        with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
            list(pool.map(shelf.put, batch))
        uploaded |= {document["id"] for document in batch}
        time.sleep(POLL_SECONDS)
        before = len(indexed) + len(failed)
        indexed = shelf.named("INGESTION_COMPLETED") & set(wanted)
        failed = shelf.named("INGESTION_FAILED") & uploaded
        if len(indexed) + len(failed) > before:
            moved = time.monotonic()
            print(f"  {moved - started:4.0f} s: {len(indexed)} of {len(wanted)} indexed", flush=True)
        elif time.monotonic() - moved > STALLED_SECONDS:
            sys.exit(
                f"nothing moved for {STALLED_SECONDS:.0f} s; `make logs` tells why. Start again to go on from here."
            )
    print(f"{len(indexed) - already} files ingested in {time.monotonic() - started:.0f} s, {len(failed)} failed")


def measure(
    search: Callable[[str], list[str]], queries: list[dict[str, str]], grades: dict[str, dict[str, float]]
) -> str:
    """One line: the means over all judged queries, and the time that a search takes."""
    judged = [query for query in queries if grades.get(query["id"])]

    def timed(query: dict[str, str]) -> tuple[list[str], float]:
        started = time.perf_counter()
        return search(query["text"]), time.perf_counter() - started

    with ThreadPoolExecutor(SEARCHES_AT_ONCE) as pool:
        answers = list(pool.map(timed, judged))
    pairs = [(ranking, grades[query["id"]]) for (ranking, _), query in zip(answers, judged, strict=True)]
    figures = [
        statistics.mean(ndcg(ranking, known) for ranking, known in pairs),
        statistics.mean(recall(ranking, known, 10) for ranking, known in pairs),
        statistics.mean(recall(ranking, known, DEPTH) for ranking, known in pairs),
    ]
    milliseconds = statistics.median(seconds for _, seconds in answers) * 1000
    return "  ".join(f"{figure:10.4f}" for figure in figures) + f"  {milliseconds:10.0f}"


def outputs() -> dict[str, Any]:
    path = Path(os.environ.get("LISA_OUTPUTS") or ROOT / os.environ.get("LISA_HOME", ".local") / "outputs.json")
    if not path.exists():
        sys.exit("No stack is running: start one with `make run` in another terminal.")
    return dict(json.loads(path.read_text()))


def main() -> None:
    parser = argparse.ArgumentParser(prog="make eval DATA=<folder>", description=__doc__)
    parser.add_argument("data", type=Path, help="folder with corpus.jsonl, queries.jsonl, qrels.tsv")
    data: Path = parser.parse_args().data
    for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv"):
        if not (data / name).is_file():
            sys.exit(f"{data} has no {name}")
    corpus = (data / "corpus.jsonl").read_bytes()
    shelf = Shelf(Stack(outputs()), hashlib.sha256(corpus).hexdigest()[:8])
    ingest(shelf, lines(data / "corpus.jsonl"))
    queries, grades = lines(data / "queries.jsonl"), judgements(data / "qrels.tsv")
    print(f"\n{'mode':8}{'nDCG@10':>10}  {'recall@10':>10}  {'recall@100':>10}  {'ms a query':>10}")
    for mode in MODES:
        figures = measure(lambda query, mode=mode: shelf.search(query, mode), queries, grades)  # type: ignore[misc]
        print(f"{mode:8}{figures}", flush=True)


if __name__ == "__main__":
    main()
