"""Chat sessions: what a client sends and sees, and what a row keeps."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from lisa.schemas import Schema

MAX_MESSAGES = 5000  # their references lie in one row of 400 KB at most
MAX_CONFIGURATION_BYTES = 150_000

Message = dict[str, Any]
SessionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,128}$")]
SessionName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class PutSessionRequest(Schema):
    """The whole history as the client has it. An absent name or configuration stays as it is stored."""

    messages: list[Message] = Field(max_length=MAX_MESSAGES)
    configuration: dict[str, Any] | None = None
    name: Annotated[str, StringConstraints(max_length=500)] | None = None


class RenameSessionRequest(Schema):
    name: SessionName


class SessionListQuery(Schema):
    """`before` is the id of the last session already seen. Without a query: all sessions."""

    page_size: int | None = Field(None, ge=1, le=100)
    before: SessionId | None = None


class HistoryQuery(Schema):
    """`before` is the index of the first message already held. Without a query: the whole history."""

    page_size: int | None = Field(None, ge=1, le=1000)
    before: int | None = Field(None, ge=0)


class SessionSummary(Schema):
    """An entry of the list; `is_encrypted` and `project_id` are there for clients of the original."""

    session_id: str
    name: str | None = None
    first_human_message: str | None = None
    start_time: datetime
    create_time: datetime
    last_updated: datetime
    is_encrypted: bool = False
    project_id: str | None = None
    total_tokens_used: int = 0


class SessionRow(SessionSummary):
    """A session's own row. `version` changes with every write; `references` name the rows of its messages, in order."""

    user_id: str
    configuration: dict[str, Any] | None = None
    references: list[str] = []
    version: str


class Session(Schema):
    """`history` begins at index `history_start` of the `history_length` messages that the session has."""

    session_id: str
    user_id: str
    history: list[Message]
    history_start: int
    history_length: int
    name: str | None
    configuration: dict[str, Any] | None
    start_time: datetime
    create_time: datetime
    last_updated: datetime
    project_id: str | None = None


class Done(Schema):
    message: str


class Deleted(Schema):
    deleted: bool
