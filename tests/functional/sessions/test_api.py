"""Sessions through the handler, messages as rows in DynamoDB."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.fixtures.control_plane import ADA, BOB, Answer, Cloud, Person


@pytest.fixture
def table(cloud: Cloud) -> Any:
    cloud.configure(SESSIONS_TABLE="sessions")
    return cloud.table("sessions", "userId", "sk")


def call(cloud: Cloud, method: str, path: str, body: Any = None, person: Person = ADA) -> Answer:
    return cloud.call("functions.sessions.api", method, path, person, body)


def turns(count: int, size: int = 10) -> list[dict[str, Any]]:
    return [{"type": ("human", "ai")[n % 2], "content": f"{n} " + "x" * size} for n in range(count)]


def test_session_comes_back_as_it_was_saved(cloud: Cloud, table: Any) -> None:
    messages = [
        {
            "type": "human",
            "content": [{"type": "text", "text": "Hé 漢字 💡"}],
            "metadata": {"a": 0.1, "b": None, "": []},
        },
        {"type": "ai", "content": "", "usage": {"promptTokens": 3}, "toolCalls": [{"args": {"deep": [[{"x": True}]]}}]},
    ]
    configuration = {"sessionConfiguration": {"modelArgs": {"temperature": 0.7}}, "ragConfig": None}
    saved = call(cloud, "PUT", "/session/s-1", {"messages": messages, "configuration": configuration, "name": "Lamps"})
    assert (saved.status, saved.body) == (200, {"message": "Session updated successfully"})
    session = call(cloud, "GET", "/session/s-1").body
    assert session["history"] == messages
    assert session["configuration"] == configuration
    assert (session["sessionId"], session["userId"], session["name"]) == ("s-1", "ada", "Lamps")
    assert session["startTime"] == session["createTime"] == session["lastUpdated"]


def test_unknown_session_is_a_real_404(cloud: Cloud, table: Any) -> None:
    assert call(cloud, "GET", "/session/nope").status == 404
    assert call(cloud, "PUT", "/session/nope/name", {"name": "x"}).status == 404
    assert call(cloud, "DELETE", "/session/nope").body == {"deleted": False}


def test_history_beyond_the_size_of_a_row_is_kept(cloud: Cloud, table: Any) -> None:
    image = {"type": "human", "content": [{"type": "image_url", "image_url": {"url": "data:" + "é" * 400_000}}]}
    messages = [*turns(60, 40_000), image]
    assert call(cloud, "PUT", "/session/big", {"messages": messages}).status == 200
    assert call(cloud, "GET", "/session/big").body["history"] == messages
    assert call(cloud, "PUT", "/session/big", {"messages": messages[:2]}).status == 200
    assert call(cloud, "GET", "/session/big").body["history"] == messages[:2]
    assert len(table.scan()["Items"]) == 3


def test_list_is_a_top_level_list_of_all_pages_without_histories(cloud: Cloud, table: Any) -> None:
    configuration = {"promptConfiguration": {"promptTemplate": "x" * 30_000}}
    for number in range(60):  # over 1 MB, so more than one page
        body = {"messages": turns(1), "configuration": configuration}
        call(cloud, "PUT", f"/session/s{number}", body)
    summaries = call(cloud, "GET", "/session").body
    assert len(summaries) == 60
    assert [row["lastUpdated"] for row in summaries] == sorted((row["lastUpdated"] for row in summaries), reverse=True)
    assert set(summaries[0]) == {
        "sessionId", "name", "firstHumanMessage", "startTime", "createTime", "lastUpdated", "isEncrypted", "projectId",
        "totalTokensUsed",
    }  # fmt: skip
    assert summaries[0]["firstHumanMessage"].startswith("0 x")


def test_rename_keeps_the_history(cloud: Cloud, table: Any) -> None:
    call(cloud, "PUT", "/session/s", {"messages": turns(2), "name": "old"})
    assert call(cloud, "PUT", "/session/s/name", {"name": " new "}).status == 200
    session = call(cloud, "GET", "/session/s").body
    assert (session["name"], len(session["history"])) == ("new", 2)


def test_deleted_sessions_leave_no_row(cloud: Cloud, table: Any) -> None:
    for session_id in ("a", "b", "c"):
        call(cloud, "PUT", f"/session/{session_id}", {"messages": turns(40)})
    call(cloud, "PUT", "/session/a", {"messages": turns(1)}, BOB)
    assert call(cloud, "DELETE", "/session/a").body == {"deleted": True}
    assert {row["sessionId"] for row in call(cloud, "GET", "/session").body} == {"b", "c"}
    assert call(cloud, "DELETE", "/session").body == {"deleted": True}
    assert {row["userId"] for row in table.scan()["Items"]} == {"bob"}


def test_session_whose_id_begins_like_another_is_left_alone(cloud: Cloud, table: Any) -> None:
    for session_id in ("s", "s-1", "s.1"):
        call(cloud, "PUT", f"/session/{session_id}", {"messages": turns(3)})
    call(cloud, "DELETE", "/session/s")
    for session_id in ("s-1", "s.1"):
        assert len(call(cloud, "GET", f"/session/{session_id}").body["history"]) == 3


def test_histories_saved_at_once_do_not_mix(cloud: Cloud, table: Any) -> None:
    def save(writer: int) -> int:
        messages = [{"type": "human", "content": f"shared {n}"} for n in range(5)]
        messages += [{"type": "ai", "content": f"writer {writer} turn {n}"} for n in range(5)]
        return call(cloud, "PUT", "/session/s", {"messages": messages}).status

    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(save, range(12)))
    assert set(statuses) <= {200, 409}
    history = call(cloud, "GET", "/session/s").body["history"]
    assert len(history) == 10
    assert len({message["content"].split(" turn")[0] for message in history[5:]}) == 1
    assert len(table.scan()["Items"]) == 11


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/session/s", {}),
        ("/session/s", {"messages": {}}),
        ("/session/s", {"messages": ["text"]}),
        ("/session/s", {"messages": [], "configuration": []}),
        ("/session/s", {"messages": [], "name": 3}),
        ("/session/s", {"messages": [{}] * 5001}),
        ("/session/s%23x", {"messages": []}),
        (f"/session/{'s' * 200}", {"messages": []}),
        ("/session/s/name", {"name": ""}),
        ("/session/s/name", {"name": "  "}),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_bad_request_is_refused(cloud: Cloud, table: Any, path: str, body: Any) -> None:
    answer = call(cloud, "PUT", path, body)
    assert (answer.status, answer.body["code"]) == (422, "invalid")
    assert not table.scan()["Items"]
