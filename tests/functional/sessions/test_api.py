"""Sessions through the handler, messages as rows in DynamoDB."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.client import BaseClient
from lisa import aws

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


def test_list_comes_in_pages_newest_first(cloud: Cloud, table: Any) -> None:
    for number in range(5):
        call(cloud, "PUT", f"/session/s{number}", {"messages": turns(1)})
    whole = call(cloud, "GET", "/session").body
    pages = [call(cloud, "GET", "/session?pageSize=2").body]
    while pages[-1]:
        pages.append(call(cloud, "GET", f"/session?pageSize=2&before={pages[-1][-1]['sessionId']}").body)
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert [row for page in pages for row in page] == whole
    assert call(cloud, "GET", f"/session?before={whole[2]['sessionId']}").body == whole[3:]


def test_history_comes_in_pages_from_its_end(cloud: Cloud, table: Any) -> None:
    messages = [*turns(7), *turns(2, 200_000), *turns(3)]  # some in several rows, some the same
    call(cloud, "PUT", "/session/s", {"messages": messages})
    whole = call(cloud, "GET", "/session/s").body
    assert (whole["history"], whole["historyStart"], whole["historyLength"]) == (messages, 0, 12)
    before = 12
    history: list[Any] = []
    while before:
        page = call(cloud, "GET", f"/session/s?pageSize=5&before={before}").body
        history = page["history"] + history
        before = page["historyStart"]
        assert page["historyLength"] == 12
    assert history == messages
    newest = call(cloud, "GET", "/session/s?pageSize=5").body
    assert (newest["history"], newest["historyStart"], newest["name"]) == (messages[7:], 7, whole["name"])
    assert call(cloud, "GET", "/session/s?before=3").body["history"] == messages[:3]
    assert call(cloud, "GET", "/session/s?pageSize=5&before=99").body == newest
    assert call(cloud, "GET", "/session/s?pageSize=5&before=0").body["history"] == []


def test_page_of_more_rows_than_one_read_takes(cloud: Cloud, table: Any) -> None:
    messages = turns(260)
    call(cloud, "PUT", "/session/s", {"messages": messages})
    assert call(cloud, "GET", "/session/s?pageSize=250").body["history"] == messages[10:]


def test_only_the_rows_of_the_page_are_read(cloud: Cloud, table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    call(cloud, "PUT", "/session/s", {"messages": turns(50)})
    keys: list[Any] = []
    client = aws.table("sessions").meta.client
    read = client.batch_get_item

    def watched(RequestItems: Any) -> Any:
        keys.extend(RequestItems["sessions"]["Keys"])
        return read(RequestItems=RequestItems)

    monkeypatch.setattr(client, "batch_get_item", watched)
    monkeypatch.setattr(client, "query", None)
    assert len(call(cloud, "GET", "/session/s?pageSize=4").body["history"]) == len(keys) == 4


@pytest.mark.parametrize(
    "path",
    [
        "/session?pageSize=0", "/session?pageSize=101", "/session?pageSize=x", "/session?before=a%23b",
        "/session/s?pageSize=0", "/session/s?pageSize=1001", "/session/s?before=-1", "/session/s?before=x",
    ],
)  # fmt: skip
def test_bad_page_is_refused(cloud: Cloud, table: Any, path: str) -> None:
    call(cloud, "PUT", "/session/s", {"messages": turns(1)})
    answer = call(cloud, "GET", path)
    assert (answer.status, answer.body["code"]) == (422, "invalid")


def test_page_after_a_session_that_is_not_there_is_refused(cloud: Cloud, table: Any) -> None:
    call(cloud, "PUT", "/session/other", {"messages": turns(1)}, BOB)
    answer = call(cloud, "GET", "/session?pageSize=2&before=other")
    assert (answer.status, answer.body["code"]) == (422, "invalid")
    assert "List again without `before`" in answer.body["message"]


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


def test_histories_saved_at_once_do_not_mix(cloud: Cloud, table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one_at_a_time, send = threading.Lock(), BaseClient._make_api_call

    def atomic(client: BaseClient, *request: Any) -> Any:
        with one_at_a_time:  # moto checks a condition and writes in two steps; DynamoDB does not
            return send(client, *request)

    monkeypatch.setattr(BaseClient, "_make_api_call", atomic)

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
