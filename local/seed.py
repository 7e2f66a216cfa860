"""The demo, made through the product's own API: a token, models, a repository and its documents. Repeatable."""

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from local.problems import LocalError
from local.settings import LocalSettings

REPOSITORY, EMBEDDING_MODEL = "demo", "minilm-l6-v2"
SAMPLES = Path(__file__).parent / "samples"
TOKEN_YEARS = 10
PATIENCE_SECONDS = 90.0
FAILED = ("CREATE_FAILED", "INGESTION_FAILED", "Failed")


class Demo:
    """A client of the API, as an administrator."""

    def __init__(self, settings: LocalSettings, credential: str, session: ClientSession) -> None:
        self.settings = settings
        self.session = session
        self.credential = credential

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of a request; a part that is not up yet is waited for.

        Raises: LocalError when it stays down.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with contextlib.suppress(ClientError, TimeoutError):
                async with self.session.request(
                    method,
                    self.settings.page_url + path,
                    json=body,
                    headers={"Authorization": f"Bearer {self.credential}"},
                ) as response:
                    if response.status not in (502, 503, 504) or time.monotonic() > deadline:
                        return response.status, await _content(response)
            if time.monotonic() > deadline:
                raise LocalError(f"{method} {path} got no answer.", self.settings.logs / "proxy.log")
            await asyncio.sleep(0.3)

    async def get(self, path: str) -> Any:
        """What GET answers.

        Raises: LocalError with what the API said when that is an error.
        """
        status, answer = await self.call("GET", path)
        if status != 200:
            raise LocalError(f"GET {path} answered {status}: {answer}", self.settings.logs / "functions.log")
        return answer

    async def create(self, path: str, body: dict[str, Any]) -> None:
        """POST something that may be there already.

        Raises: LocalError with what the API said.
        """
        status, answer = await self.call("POST", path, body)
        if status == 409:
            return
        if status >= 300:
            raise LocalError(f"POST {path} answered {status}: {answer}", self.settings.logs / "functions.log")

    async def is_accepted(self) -> bool:
        """Whether Serve knows the credential; it answers without the start of any function."""
        return bool(self.credential) and (await self.call("GET", "/v1/models"))[0] == 200

    async def api_token(self) -> str:
        """A new token of the administrator's."""
        expiration = int(time.time()) + TOKEN_YEARS * 365 * 24 * 3600
        status, answer = await self.call("POST", "/api-tokens", {"name": "local stack", "tokenExpiration": expiration})
        if status >= 300:
            raise LocalError(f"No API token was issued ({status}): {answer}", self.settings.logs / "functions.log")
        return str(answer["token"])

    def is_made(self, stack: dict[str, str]) -> bool:
        """Whether an earlier run has made this very demo: whoever has deleted a part of it does not want it back."""
        marker = self._marker()
        return marker.exists() and marker.read_text() == self._fingerprint(stack)

    def set_made(self, stack: dict[str, str]) -> None:
        self._marker().write_text(self._fingerprint(stack))

    def _marker(self) -> Path:
        return self.settings.home / "demo-made"

    def _fingerprint(self, stack: dict[str, str]) -> str:
        return hashlib.sha256(json.dumps([self._models(), stack["ModelsTable"]]).encode()).hexdigest()

    async def models(self) -> None:
        """Register the local models, and the one that settings name; wait until all are in service."""
        wanted = {model["modelId"]: model for model in self._models()}
        answer = await self.get("/models")
        known = {model["modelId"] for model in answer["models"]}
        for name in wanted.keys() - known:  # one after the other: together each would wait for a worker to start
            await self.create("/models", wanted[name])

        async def all_in_service() -> bool:
            answer = await self.get("/models")
            states = {model["modelId"]: model["status"] for model in answer["models"]}
            return self._settled(states, wanted, "InService")

        await self._eventually(all_in_service, "The models were not registered in time")

    def _models(self) -> list[dict[str, Any]]:
        """What POST /models is told of each."""
        settings = self.settings
        models_url = f"http://127.0.0.1:{settings.models_port}/v1"
        found: list[dict[str, Any]] = [
            {
                "modelId": EMBEDDING_MODEL,
                "modelName": f"openai/{EMBEDDING_MODEL}",
                "modelType": "embedding",
                "modelDescription": "Sentence embeddings with 384 dimensions, computed on this machine.",
                "modelUrl": models_url,
            },
            {
                "modelId": "extractive",
                "modelName": "openai/extractive",
                "modelType": "textgen",
                "streaming": True,
                "modelDescription": "No language model: quotes the best passages of your documents, word for word.",
                "modelUrl": models_url,
            },
        ]
        if settings.llm:
            found.append(
                {
                    "modelId": "smollm2-135m",
                    "modelName": "openai/smollm2-135m",
                    "modelType": "textgen",
                    "streaming": True,
                    "modelDescription": "A very small language model, to show streaming; its answers are a demo.",
                    "modelUrl": f"http://127.0.0.1:{settings.llm_port}/v1",
                }
            )
        if settings.openai_base_url and settings.openai_model:
            found.append(
                {
                    "modelId": settings.openai_model.replace("/", "-"),
                    "modelName": f"openai/{settings.openai_model}",
                    "modelType": "textgen",
                    "streaming": True,
                    "modelDescription": "The endpoint that LISA_OPENAI_BASE_URL names.",
                    "modelUrl": settings.openai_base_url,
                }
                | ({"apiKey": settings.openai_api_key} if settings.openai_api_key else {})
            )
        return found

    async def repository(self) -> None:
        """The demo repository, once its schema is made."""
        status, row = await self.call("GET", f"/repository/{REPOSITORY}")
        if status == 200 and row.get("status") == "CREATE_FAILED":
            await self.call("DELETE", f"/repository/{REPOSITORY}")

            async def gone() -> bool:
                return (await self.call("GET", f"/repository/{REPOSITORY}"))[0] == 404

            await self._eventually(gone, "The demo repository could not be made and could not be removed")
            status = 404
        if status != 200:
            await self.create(
                "/repository",
                {
                    "repositoryId": REPOSITORY,
                    "repositoryName": "Demo",
                    "type": "pgvector",
                    "embeddingModelId": EMBEDDING_MODEL,
                },
            )

        async def created() -> bool:
            states = await self.get("/repository/status")
            return self._settled(states, [REPOSITORY], "CREATE_COMPLETE", "UPDATE_COMPLETE")

        await self._eventually(created, "The demo repository was not made in time")

    async def documents(self, s3: Any, bucket: str) -> None:
        """Put the samples that the repository has never had into its bucket; wait until they are indexed."""
        rows = await self._documents()
        files = [file for file in sorted(SAMPLES.iterdir()) if file.suffix in (".pdf", ".md", ".docx")]
        for file in files:
            if file.name not in rows:
                await asyncio.to_thread(
                    s3.upload_file, str(file), bucket, f"{REPOSITORY}/{EMBEDDING_MODEL}/{file.name}"
                )

        async def indexed() -> bool:
            return self._settled(await self._documents(), [file.name for file in files], "INGESTION_COMPLETED")

        await self._eventually(indexed, "The sample documents were not indexed in time")

    async def _documents(self) -> dict[str, str]:
        """Name → status."""
        path = f"/repository/{REPOSITORY}/document?collectionId={EMBEDDING_MODEL}&pageSize=100"
        answer = await self.get(path)
        return {row["document_name"]: row.get("status", "") for row in answer["documents"]}

    def _settled(self, states: dict[str, str], names: Any, *good: str) -> bool:
        for name in names:
            if states.get(name) in FAILED:
                raise LocalError(f"{name} ended as {states[name]}.", self.settings.logs / "functions.log")
        return all(states.get(name) in good for name in names)

    async def _eventually(self, probe: Callable[[], Awaitable[bool]], complaint: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not await probe():
            if time.monotonic() > deadline:
                raise LocalError(f"{complaint}.", self.settings.logs / "functions.log")
            await asyncio.sleep(0.25)


async def _content(response: ClientResponse) -> Any:
    if response.content_type == "application/json":
        return await response.json()
    return (await response.text())[:500]


def session() -> ClientSession:
    """For a `Demo`; a first call may wait for a cold start."""
    return ClientSession(timeout=ClientTimeout(total=60))
