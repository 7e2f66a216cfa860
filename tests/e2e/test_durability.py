"""`kill -9` of any part loses no committed document and no session; what was under way ends, or can be retried."""

import os
import signal
import uuid
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.clients import Api, Library, eventually

LISTEN = "0A"  # state in /proc/net/tcp
PARTS = ("LISA_EMULATOR_PORT", "LISA_POSTGRES_PORT", "LISA_GATEWAY_PORT", "LISA_MODELS_PORT")


def listener(port: int) -> int:
    """The process that listens on a port of the loopback."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {row[9] for row in rows if row[3] == LISTEN and int(row[1].split(":")[1], 16) == port}
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            links = [os.readlink(link) for link in folder.iterdir()]  # noqa: PTH115
        except OSError:
            continue
        if any(f"socket:[{inode}]" in links for inode in inodes):
            return int(folder.parent.name)
    pytest.fail(f"nobody listens on port {port}")


def answers(api: Api, path: str) -> bool:
    try:
        return api.get(path).status_code == 200
    except requests.RequestException:
        return False


@pytest.mark.disruptive
@pytest.mark.parametrize("part", PARTS)
def test_killed_part_comes_back_with_everything_that_was_committed(
    part: str, stack: dict[str, Any], library: Library, user: Api, admin: Api
) -> None:
    word = f"word{uuid.uuid4().hex[:10]}"
    kept = library.put(f"{word}.txt", f"The keeper's {word} is safe.".encode())
    assert library.finished(kept)["status"] == "INGESTION_COMPLETED"
    session_id = str(uuid.uuid4())
    underway = library.put(f"{word}-late.txt", f"The late {word} arrives.".encode())
    answer = user.put(f"/session/{session_id}", json={"messages": [{"type": "human", "content": word}]})
    assert answer.status_code == 200

    os.kill(listener(int(os.environ[part])), signal.SIGKILL)

    eventually(lambda: answers(user, f"/session/{session_id}"), "the session after the kill", 90)
    assert user.get(f"/session/{session_id}").json()["history"][0]["content"] == word
    row = library.document(kept)
    assert row and row["status"] == "INGESTION_COMPLETED"

    def found() -> bool:
        body: dict[str, Any] = {"query": word, "collectionId": library.collection, "topK": 10}
        reply = admin.post(f"/repository/{library.id}/similaritySearch", json=body)
        return reply.status_code == 200 and "keeper" in reply.text

    eventually(found, "search after the kill", 90)

    def ended() -> bool:
        late = library.document(underway)
        if late and late["status"] == "INGESTION_FAILED":  # the kill hit it: it says so, and can be retried
            assert late["error_message"]
            admin.post(f"/repository/{library.id}/{late['document_id']}/retry")
        return bool(late and late["status"] == "INGESTION_COMPLETED")

    eventually(ended, "the ingestion that the kill interrupted", 200)
