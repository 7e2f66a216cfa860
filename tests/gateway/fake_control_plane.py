"""The control plane as the gateway sees it: a search that knows two repositories, and an identity provider's keys."""

from typing import Any

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.gateway.seen import Seen

ISSUER = "https://issuer.example"
CLIENT_ID = "client-1"


class FakeControlPlane:
    def __init__(self) -> None:
        self.seen = Seen()
        self.key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})
        self.application = web.Application()
        self.application.router.add_post("/prod/repository/{id}/similaritySearch", self._search)
        self.application.router.add_get("/jwks", self._jwks)

    async def _jwks(self, _request: web.Request) -> web.Response:
        return web.json_response({"keys": [self.key.as_dict(private=False)]})

    def token(self, **claims: Any) -> str:
        standard = {"iss": ISSUER, "aud": CLIENT_ID, "token_use": "id", "exp": 4_102_444_800, "iat": 1_700_000_000}
        return jwt.encode({"alg": "RS256", "kid": "k1"}, {**standard, **claims}, self.key)

    async def _search(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.seen.bodies.append(body)
        self.seen.headers.append({name.lower(): value for name, value in request.headers.items()})
        repository = request.match_info["id"]
        if repository == "private":
            return web.json_response({"code": "forbidden", "message": "Not for you.", "requestId": "r"}, status=403)
        if repository == "broken":
            return web.Response(status=502, text="Bad Gateway")
        if repository == "empty":
            return web.json_response({"docs": []})
        if repository == "long":
            document = {"page_content": "蘋果樹種植與管理" * 1250, "metadata": {}}
            return web.json_response({"docs": [{"Document": document}]})
        if repository != "demo":
            message = f"Repository {repository} does not exist."
            return web.json_response({"code": "not_found", "message": message, "requestId": "r"}, status=404)
        metadata = {
            "source": "s3://docs/demo/minilm/orchards.pdf",
            "name": "orchards.pdf",
            "document_id": "d1",
            "repositoryId": "demo",
            "collectionId": "minilm",
            "part": 3,
            "page": 2,
            "headings": ["Apples"],
            "start": 10,
            "end": 50,
            "similarity_score": 0.9,
        }
        plain = {"source": "s3://docs/demo/minilm/pears.txt", "name": "pears.txt", "document_id": "d2"}
        documents = [("The Zwickau pippin grows at Adderbury.", metadata), ("Pears are not apples.", plain)]
        docs = [{"Document": {"page_content": text, "metadata": values}} for text, values in documents]
        return web.json_response({"docs": docs})
