"""Usage: what a call cost, the counters that add it up, and the limits that calls are held to."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from lisa.schemas import Schema

MICROS = 1_000_000  # micro-dollars in a dollar: costs are whole numbers, so that sums have no rounding errors
MAX_RECORDS = 25
MAX_COUNT = 10**12
MAX_BUDGET_USD = 1e9

Count = Annotated[int, Field(ge=0, le=MAX_COUNT)]
Rate = Annotated[int, Field(strict=True, ge=1, le=MAX_COUNT)]
Usd = Annotated[float, Field(ge=0, description="US dollars, to the millionth")]


def to_usd(micro_usd: int) -> float:
    return round(micro_usd / MICROS, 6)


def to_micro_usd(usd: float) -> int:
    return round(usd * MICROS)


class SubjectKind(StrEnum):
    USER = "user"
    KEY = "key"
    GROUP = "group"
    MODEL = "model"
    SESSION = "session"


class LimitKind(StrEnum):
    USER = "user"
    KEY = "key"
    GROUP = "group"


class Period(StrEnum):
    DAY = "day"
    MONTH = "month"


class Metric(StrEnum):
    REQUESTS = "requests"
    TOKENS = "tokens"
    COST = "cost"


class Window(StrEnum):
    MINUTE = "minute"
    DAY = "day"
    MONTH = "month"


class CallStatus(StrEnum):
    COMPLETED = "completed"
    CUT_SHORT = "cut_short"
    FAILED = "failed"


ALL = "all"  # the subject that every call counts for
DEFAULT = "*"  # the name in a limit for every user, or for every key


def subject_of(kind: SubjectKind | LimitKind, name: str) -> str:
    return f"{kind.value}#{name}"


def name_in(subject: str) -> str:
    return subject.partition("#")[2]


# ── from the gateway to the queue ──


class UsageRecord(Schema):
    """One call, when it has ended, or `requests` calls of a moment that count for the same; their values are sums.

    `request_id` is that of the first. `estimated`: the upstream told no token counts, so they were guessed.
    """

    request_id: str
    requests: Annotated[int, Field(ge=1, le=MAX_COUNT)] = 1
    time: datetime
    username: str = Field(min_length=1)
    key_id: str | None = Field(None, description="UUID of the API token, or `management`")
    groups: list[str] = []
    model_id: str = Field(min_length=1)
    deployment_id: str | None = None
    operation: str
    session_id: str | None = None
    prompt_tokens: Count = 0
    completion_tokens: Count = 0
    cached_tokens: Count = 0
    cost_micro_usd: Count = 0
    estimated: bool = False
    status: CallStatus = CallStatus.COMPLETED
    ms: Annotated[float, Field(ge=0)] = 0


class UsageBatch(Schema):
    """Body of one message. A batch is counted once, however often the queue delivers it."""

    batch_id: str = Field(min_length=1, max_length=128)
    records: list[UsageRecord] = Field(min_length=1, max_length=MAX_RECORDS)


# ── counters ──


class Counts(Schema):
    """What is added up for a subject in a period."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cost_micro_usd: int = 0
    estimated_requests: int = 0


class Totals(Schema):
    """`Counts` as callers see them."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cost_usd: Usd = 0
    estimated_requests: int = 0

    @classmethod
    def of(cls, counts: Counts, **fields: Any) -> Self:
        numbers = counts.model_dump(exclude={"cost_micro_usd"})
        return cls(**numbers, cost_usd=to_usd(counts.cost_micro_usd), **fields)


class DayTotals(Totals):
    day: date


class SubjectTotals(Totals):
    subject: str
    name: str


# ── limits ──


class Limit(Schema):
    """A row of the table of limits. Subject: `user#alice`, `user#*`, `key#<uuid>`, `key#*` or `group#<group>`.

    A limit of a group is shared by its members together; `*` holds for each user, or key, without a row of its own.
    """

    subject: str
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    budget_micro_usd: int | None = None
    budget_period: Period = Period.MONTH


class PutLimitRequest(Schema):
    """Replaces a limit as a whole. An absent or null number is no limit of that kind; a budget of 0 stops every call
    that costs something."""

    requests_per_minute: Rate | None = None
    tokens_per_minute: Rate | None = None
    budget_usd: Annotated[float, Field(strict=True, ge=0, le=MAX_BUDGET_USD)] | None = None
    budget_period: Period = Period.MONTH

    @field_validator("budget_usd")
    @classmethod
    def whole_micros(cls, value: float | None) -> float | None:
        return None if value is None else round(value, 6)

    @model_validator(mode="after")
    def something(self) -> Self:
        if self.requests_per_minute is self.tokens_per_minute is self.budget_usd is None:
            raise ValueError("set requestsPerMinute, tokensPerMinute or budgetUsd; to remove a limit, delete it")
        return self


class LimitView(Schema):
    """A limit as admins see it."""

    subject: str
    kind: LimitKind
    name: str = Field(description="* = every user, or key, without a limit of its own")
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    budget_usd: float | None = None
    budget_period: Period = Period.MONTH

    @classmethod
    def of(cls, limit: Limit) -> Self:
        kind, _, name = limit.subject.partition("#")
        budget = None if limit.budget_micro_usd is None else to_usd(limit.budget_micro_usd)
        numbers = limit.model_dump(exclude={"budget_micro_usd"})
        return cls(**numbers, kind=LimitKind(kind), name=name, budget_usd=budget)


class LimitList(Schema):
    limits: list[LimitView]


class DeletedLimit(Schema):
    subject: str
    deleted: bool


class QuotaStatus(Schema):
    """How much of one limit is used in its present window. Cost is in US dollars.

    `committed` is the very number that Serve compares with the limit: what was spent, and what running calls and
    Serve's tasks hold in reserve.
    """

    subject: str
    metric: Metric
    window: Window
    limit: float
    committed: float
    remaining: float
    resets_at: datetime


# ── answers ──

PeriodValue = Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?$")]


class PeriodQuery(Schema):
    """Which period: the present month unless said otherwise."""

    period: Period = Period.MONTH
    value: PeriodValue | None = Field(None, description="2026-11 for a month, 2026-11-23 for a day; the present one")


class ListedKind(StrEnum):
    USERS = "users"
    GROUPS = "groups"
    KEYS = "keys"
    MODELS = "models"
    SESSIONS = "sessions"

    @property
    def subject_kind(self) -> SubjectKind:
        return SubjectKind(self.value.removesuffix("s"))


class UsageListQuery(PeriodQuery):
    kind: ListedKind
    page_size: int = Field(100, ge=1, le=1000)
    next_token: str | None = Field(None, max_length=4096)


class SubjectUsage(Schema):
    """Usage of one subject, with its days and the limits that hold for it."""

    subject: str
    period: Period
    value: str
    totals: Totals
    days: list[DayTotals]
    limits: list[QuotaStatus]


class UsageList(Schema):
    """`totals` are those of every call in the period, not of this page."""

    kind: ListedKind
    period: Period
    value: str
    items: list[SubjectTotals]
    totals: Totals
    next_token: str | None = None


# ── the original's answers: of all time, with what is counted here ──


class UserMetrics(Schema):
    total_prompts: int


class AllMetrics(Schema):
    total_unique_users: int
    total_prompts: int


class UserMetricsAnswer(Schema):
    status_code: Literal[200] = 200
    body: dict[str, UserMetrics] = Field(description="by the user's name")


class AllMetricsAnswer(Schema):
    status_code: Literal[200] = 200
    body: AllMetrics
