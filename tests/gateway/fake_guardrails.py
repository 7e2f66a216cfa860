"""Amazon Bedrock's ApplyGuardrail over HTTP, as botocore takes it. The guardrail's id says what it does."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

FORBIDDEN = re.compile(r"forbidden|Bonjour", re.IGNORECASE)
EMAIL = re.compile(r"[a-z]+@[a-z]+\.example")
MESSAGE = "Sorry, that is not for this model."


@dataclass
class Asked:
    guardrail: str
    version: str
    source: str
    texts: list[str]
    answered_at: float = 0.0


@dataclass
class FakeGuardrails:
    """`words*` block, `pii*` mask addresses, the others fail in their ways."""

    asked: list[Asked] = field(default_factory=list)
    running: Counter[str] = field(default_factory=Counter)
    most_at_once: Counter[str] = field(default_factory=Counter)
    breaks_after: int | None = None  # `words` answers so many times, then no more
    may_answer: Callable[[], bool] = lambda: True  # `wordsslow` waits for it

    @property
    def application(self) -> web.Application:
        application = web.Application(client_max_size=2**20)
        application.router.add_post("/guardrail/{id:.+}/version/{version}/apply", self._apply)
        return application

    def of(self, guardrail: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.guardrail == guardrail]

    async def _apply(self, request: web.Request) -> web.Response:
        body = await request.json()
        texts = [block["text"]["text"] for block in body["content"]]
        name = request.match_info["id"].rpartition("/")[2]
        asked = Asked(name, request.match_info["version"], body["source"], texts)
        self.asked.append(asked)
        assert request.headers["Authorization"].startswith("AWS4-HMAC-SHA256"), "not signed"
        if sum(map(len, texts)) > 25_000:
            return _error(400, "ValidationException")
        self.running[name] += 1
        self.most_at_once[name] = max(self.most_at_once[name], self.running[name])
        answer = await self._verdict(name, texts)
        self.running[name] -= 1
        asked.answered_at = time.monotonic()
        return answer

    async def _verdict(self, name: str, texts: list[str]) -> web.Response:
        if name == "broken" or (name == "words" and self.breaks_after and len(self.of(name)) > self.breaks_after):
            return _error(500, "InternalServerException")
        if name == "denied":
            return _error(403, "AccessDeniedException")
        if name == "odd":
            return web.json_response({"message": "hello from somebody else"})
        if name == "hanging":
            await asyncio.sleep(30)
        if name.startswith("wordsslow"):
            while name == "wordsslow" and not self.may_answer():  # noqa: ASYNC110 - a thing of another thread
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.5)  # an answer that does not wait is there first
        if name.startswith("pii"):
            return _masked(texts, in_one=name == "piiinone")
        if any(map(FORBIDDEN.search, texts)):
            topics = [{"name": "forbidden", "type": "DENY", "action": "BLOCKED", "detected": True}]
            return _answer("GUARDRAIL_INTERVENED", [MESSAGE], [{"topicPolicy": {"topics": topics}}])
        return _answer("NONE", [], [])


def _masked(texts: list[str], in_one: bool) -> web.Response:
    found = [match for text in texts for match in EMAIL.findall(text)]
    if not found:
        return _answer("NONE", [], [])
    outputs = [EMAIL.sub("{EMAIL}", text) for text in texts]
    entities = [{"match": match, "type": "EMAIL", "action": "ANONYMIZED", "detected": True} for match in found]
    assessment = {"sensitiveInformationPolicy": {"piiEntities": entities, "regexes": []}}
    return _answer("GUARDRAIL_INTERVENED", [" ".join(outputs)] if in_one else outputs, [assessment])


def _answer(action: str, outputs: list[str], assessments: list[dict[str, Any]]) -> web.Response:
    return web.json_response(
        {
            "usage": {"topicPolicyUnits": 1},
            "action": action,
            "outputs": [{"text": text} for text in outputs],
            "assessments": assessments,
        }
    )


def _error(status: int, code: str) -> web.Response:
    return web.json_response({"message": "no"}, status=status, headers={"x-amzn-ErrorType": code})
