"""Rules of chat sessions.

A message is a row of its own and never changes; the session's row names its messages in order. Saving writes the
messages that are new, then swaps the session's row if nobody else did meanwhile, then removes what is no longer named.
So a reader sees one complete history or the other, and of two devices that save at once the later one wins as a whole.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from lisa.auth.schemas import Caller
from lisa.errors import ConflictError, InvalidError, NotFoundError, TooLargeError
from lisa.sessions.schemas import (
    MAX_CONFIGURATION_BYTES,
    Deleted,
    Done,
    HistoryQuery,
    Message,
    PutSessionRequest,
    Session,
    SessionListQuery,
    SessionRow,
    SessionSummary,
)

PART_CHARACTERS = 75_000  # at most 300 KB of UTF-8; a row holds 400 KB
SAVE_TRIES = 8
READ_TRIES = 3
SUMMARY_CHARACTERS = 300
ALL_SESSIONS = SessionListQuery()
ALL_MESSAGES = HistoryQuery()
UNKNOWN = "There is no such session. List the sessions to see those that are yours."


class SessionStore(Protocol):
    """`replace` and `rename` answer whether the row was still as expected; without an expected version, absent."""

    def get(self, user_id: str, session_id: str) -> SessionRow | None: ...
    def replace(self, row: SessionRow, expected_version: str | None) -> bool: ...
    def rename(self, user_id: str, session_id: str, name: str, version: str, moment: datetime) -> bool: ...
    def summaries(self, user_id: str) -> list[SessionSummary]: ...
    def read_messages(self, user_id: str, session_id: str) -> dict[str, str]: ...
    def get_messages(self, user_id: str, session_id: str, references: Iterable[str]) -> dict[str, str]: ...
    def write_messages(self, user_id: str, session_id: str, parts: Mapping[str, Sequence[str]]) -> None: ...
    def delete_messages(self, user_id: str, session_id: str, references: Iterable[str]) -> None: ...
    def delete(self, user_id: str, session_id: str) -> bool: ...
    def delete_all(self, user_id: str) -> None: ...


def listing(store: SessionStore, caller: Caller, query: SessionListQuery = ALL_SESSIONS) -> list[SessionSummary]:
    """The caller's sessions, the one used last first. Raises: InvalidError when `before` is none of them."""
    found = store.summaries(caller.username)
    newest_first = sorted(found, key=lambda summary: (summary.last_updated, summary.session_id), reverse=True)
    ids = [summary.session_id for summary in newest_first]
    if query.before is not None and query.before not in ids:
        raise InvalidError("The session named in `before` does not exist (any more). List again without `before`.")
    start = ids.index(query.before) + 1 if query.before is not None else 0
    return newest_first[start:][: query.page_size]


def get(store: SessionStore, caller: Caller, session_id: str, query: HistoryQuery = ALL_MESSAGES) -> Session:
    """The session with its history, or with the newest page of it before an index. Raises: NotFoundError."""
    row, start, references, stored = _read(store, caller.username, session_id, query)
    history = [json.loads(stored[reference]) for reference in references if reference in stored]
    place = {"history_start": start, "history_length": len(row.references)}
    return Session.model_validate({**row.model_dump(), "history": history, **place})


def save(store: SessionStore, caller: Caller, session_id: str, request: PutSessionRequest, moment: datetime) -> Done:
    """Makes the history what the client sent. Raises: TooLargeError; ConflictError when others keep saving it too."""
    if len(json.dumps(request.configuration)) > MAX_CONFIGURATION_BYTES:
        raise TooLargeError(f"The configuration is over {MAX_CONFIGURATION_BYTES // 1000} KB. Send less.")
    texts = [json.dumps(message, ensure_ascii=False, separators=(",", ":")) for message in request.messages]
    for _ in range(SAVE_TRIES):
        base = store.get(caller.username, session_id)
        references, added = _references(texts, base.references if base else ())
        store.write_messages(caller.username, session_id, added)
        row = _row(caller.username, session_id, request, references, base, moment)
        if store.replace(row, base.version if base else None):
            surplus = set(base.references if base else ()) - set(references)
            store.delete_messages(caller.username, session_id, surplus)
            return Done(message="Session updated successfully")
        store.delete_messages(caller.username, session_id, added)
    raise ConflictError("This session is being saved from several places at once. Try again.")


def rename(store: SessionStore, caller: Caller, session_id: str, name: str, moment: datetime) -> Done:
    """Raises: NotFoundError."""
    if not store.rename(caller.username, session_id, name, _new_version(), moment):
        raise NotFoundError(UNKNOWN)
    return Done(message="Session name updated successfully")


def delete(store: SessionStore, caller: Caller, session_id: str) -> Deleted:
    return Deleted(deleted=store.delete(caller.username, session_id))


def delete_all(store: SessionStore, caller: Caller) -> Deleted:
    store.delete_all(caller.username)
    return Deleted(deleted=True)


def _read(
    store: SessionStore, user_id: str, session_id: str, query: HistoryQuery
) -> tuple[SessionRow, int, list[str], dict[str, str]]:
    """The session's row, the first index that is asked for, the references from there, and the messages' texts."""
    tries = 0
    while True:
        row = store.get(user_id, session_id)
        if row is None:
            raise NotFoundError(UNKNOWN)
        start, end = _window(len(row.references), query)
        references = row.references[start:end]
        if len(references) == len(row.references):
            stored = store.read_messages(user_id, session_id)
        else:
            stored = store.get_messages(user_id, session_id, references)
        tries += 1
        if tries == READ_TRIES or all(reference in stored for reference in references):
            return row, start, references, stored  # else somebody saved between the two reads


def _window(length: int, query: HistoryQuery) -> tuple[int, int]:
    """Which messages are asked for. A `before` beyond the end is the end: another device may have cut the history."""
    end = length if query.before is None else min(query.before, length)
    return (0 if query.page_size is None else max(0, end - query.page_size)), end


def _references(texts: Sequence[str], known: Iterable[str]) -> tuple[list[str], dict[str, list[str]]]:
    """The reference of each text, and the parts of those that have no row yet.

    A reference is `<digest>.<write>.<parts>`: one write never takes over, nor removes, the rows of another.
    """
    by_digest = {reference.partition(".")[0]: reference for reference in known}
    write = secrets.token_hex(4)
    references: list[str] = []
    added: dict[str, list[str]] = {}
    for text in texts:
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).decode().rstrip("=")
        if digest not in by_digest:
            parts = [text[start : start + PART_CHARACTERS] for start in range(0, len(text), PART_CHARACTERS)]
            by_digest[digest] = f"{digest}.{write}.{len(parts)}"
            added[by_digest[digest]] = parts
        references.append(by_digest[digest])
    return references, added


def _row(
    user_id: str,
    session_id: str,
    request: PutSessionRequest,
    references: list[str],
    base: SessionRow | None,
    moment: datetime,
) -> SessionRow:
    return SessionRow(
        user_id=user_id,
        session_id=session_id,
        name=request.name or (base.name if base else None),
        first_human_message=_first_human_message(request.messages),
        configuration=request.configuration if request.configuration is not None else base and base.configuration,
        start_time=base.start_time if base else moment,
        create_time=base.create_time if base else moment,
        last_updated=moment,
        project_id=base.project_id if base else None,
        total_tokens_used=sum(_tokens_of(message.get("usage")) for message in request.messages),
        references=references,
        version=_new_version(),
    )


def _new_version() -> str:
    """Random, so that no version returns when a session is deleted and made anew."""
    return secrets.token_hex(8)


def _first_human_message(messages: Iterable[Message]) -> str | None:
    for message in messages:
        if message.get("type") == "human" or message.get("role") == "user":
            content = message.get("content")
            parts = content if isinstance(content, list) else [{"text": content}]
            texts = [part.get("text") for part in parts if isinstance(part, dict)]
            text = " ".join(text for text in texts if isinstance(text, str)).strip()
            if text:
                return text[:SUMMARY_CHARACTERS]
    return None


def _tokens_of(usage: Any) -> int:
    if not isinstance(usage, dict):
        return 0
    counts = (usage.get("promptTokens"), usage.get("completionTokens"))
    return sum(count for count in counts if type(count) is int and 0 < count < 10**9)
