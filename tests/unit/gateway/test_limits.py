"""What a limit lets through, what a caller is told, and what the ledger hears."""

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Any

import pytest
from gateway.errors import ClientLeftError, LimitExceededError, error_body
from gateway.exchange import Exchange
from gateway.limits.admission import Limits, Reservation
from gateway.operations import CHAT, COUNT_TOKENS, EMBEDDINGS, IMAGES, Protocol
from gateway.pricing.prices import Prices
from gateway.watch import Watch
from lisa.auth.schemas import Caller
from lisa.errors import UnavailableError
from lisa.usage.ledger import Move, Moved
from lisa.usage.schemas import Limit

from tests.unit.gateway.calls import ADA, NOW, Asking, Reached, limits_of, model

BODY: dict[str, Any] = {"messages": [], "max_tokens": 10}
REQUESTS = "user#ada|requests|minute#2027-01-15T08:00"
TOKENS = "user#ada|tokens|minute#2027-01-15T08:00"
COST = "user#ada|cost|month#2027-01"


async def admit(limits: Limits, caller: Caller = ADA, **more: Any) -> Reservation:
    call: dict[str, Any] = {"rows": [model()], "operation": CHAT, "body": BODY, "body_bytes": 100} | more
    prices: Prices = call.pop("prices", Prices(lambda: b"{}"))
    return await limits.admit(caller, await prices.learned(call.pop("rows")), **call)


async def test_caller_without_limits_asks_nobody() -> None:
    ledger = Reached()
    limits = await limits_of(ledger, Limit(subject="user#bob", requests_per_minute=1))
    for _ in range(3):
        (await admit(limits)).settle(1, 1, 1)
    await limits.sweep(is_last=True)
    assert ledger.moves == []


async def test_requests_over_the_limit_are_refused_with_the_time_to_wait() -> None:
    limits = await limits_of(Reached(), Limit(subject="user#*", requests_per_minute=3))
    for _ in range(3):
        (await admit(limits)).settle(1, 1, 1)
    with pytest.raises(LimitExceededError) as refused:
        await admit(limits)
    assert refused.value.headers == ((b"retry-after", b"48"),)
    assert refused.value.message == "The limit of 3 requests a minute for you is reached. Try again in 48 s."
    body = error_body(refused.value, "r")
    assert b'"type":"rate_limit_error"' in body
    assert b'"code":"rate_limit_exceeded"' in body
    assert b'"type":"rate_limit_error"' in error_body(refused.value, "r", Protocol.ANTHROPIC)


async def test_next_minute_begins_anew() -> None:
    now = [NOW]
    limits = await limits_of(Reached(), Limit(subject="user#*", requests_per_minute=1), clock=lambda: now[0])
    await admit(limits)
    with pytest.raises(LimitExceededError):
        await admit(limits)
    now[0] += 48
    await admit(limits)


async def test_limit_holds_over_tasks() -> None:
    ledger = Reached()
    tasks = [await limits_of(ledger, Limit(subject="user#*", requests_per_minute=60)) for _ in range(4)]
    admitted = 0
    for number in range(200):
        try:
            (await admit(tasks[number % 4])).settle(1, 1, 1)
            admitted += 1
        except LimitExceededError:
            pass
    assert admitted == 60
    assert ledger.committed(REQUESTS) == 60


async def test_few_calls_reach_the_ledger() -> None:
    ledger = Reached()
    limits = await limits_of(ledger, Limit(subject="user#*", requests_per_minute=100_000))
    for _ in range(20_000):
        (await admit(limits)).settle(1, 1, 1)
        await asyncio.sleep(0)
    assert len(ledger.moves) < 20


async def test_steady_load_asks_the_ledger_now_and_then() -> None:
    ledger, now, waited = Reached(), [NOW], 0
    limits = await limits_of(ledger, Limit(subject="user#*", requests_per_minute=10**9), clock=lambda: now[0])
    for number in range(40_000):  # 1,000 a second, so that a slice lasts longer than a second and is not the smallest
        now[0] = NOW + number / 1000
        before = len(ledger.moves)
        (await admit(limits)).settle(1, 1, 1)
        waited += len(ledger.moves) > before
        await asyncio.sleep(0)
    assert len(ledger.moves) < 60
    assert waited < 20  # the others found their slice fetched before


async def test_what_a_call_did_not_use_is_given_back() -> None:
    ledger = Reached()
    limits = await limits_of(ledger, Limit(subject="user#*", tokens_per_minute=1000, budget_micro_usd=10_000))
    reservation = await admit(limits)
    assert ledger.committed(TOKENS) >= 110
    assert ledger.committed(COST) >= 130
    reservation.settle(20, 5, 35)
    await limits.sweep()
    await limits.sweep()
    assert (ledger.committed(TOKENS), ledger.committed(COST)) == (25, 35)
    assert not ledger.rows[TOKENS].marks


async def test_what_a_call_used_beyond_its_reservation_is_committed() -> None:
    ledger = Reached()
    limits = await limits_of(ledger, Limit(subject="user#*", tokens_per_minute=200))
    (await admit(limits, body_bytes=10)).settle(500, 0, 0)
    await limits.sweep()
    assert ledger.committed(TOKENS) == 500
    with pytest.raises(LimitExceededError):
        await admit(limits)


async def test_running_calls_count_with_all_that_they_may_use() -> None:
    limits = await limits_of(Reached(), Limit(subject="user#*", tokens_per_minute=250))
    first = await admit(limits)
    await admit(limits)
    with pytest.raises(LimitExceededError, match="has no room for this call, which needs 36"):
        await admit(limits)
    first.settle(1, 1, 0)
    await admit(limits)


async def test_call_whose_bound_is_over_the_limit_runs_alone() -> None:
    limits = await limits_of(Reached(), Limit(subject="user#*", tokens_per_minute=1000))
    reservation = await admit(limits, body={"messages": []}, body_bytes=3000)
    with pytest.raises(LimitExceededError):
        await admit(limits, body_bytes=10)
    reservation.settle(700, 10, 0)
    await admit(limits, body_bytes=10)


async def test_calls_whose_bound_is_over_the_limit_run_one_after_the_other_until_it_is_reached() -> None:
    ledger, now = Reached(), [NOW]
    limits = await limits_of(ledger, Limit(subject="user#*", tokens_per_minute=10_000), clock=lambda: now[0])
    for _ in range(24):
        (await admit(limits, body={"messages": []}, body_bytes=1600)).settle(400, 10, 0)
        now[0] += 1
    assert ledger.committed(TOKENS) == 10_000
    with pytest.raises(LimitExceededError, match="has no room for this call, which needs 401"):
        await admit(limits, body={"messages": []}, body_bytes=1600)


async def test_call_reserves_its_bound_where_that_is_left_and_else_all_that_is() -> None:
    ledger = Reached()
    limits = await limits_of(ledger, Limit(subject="user#*", tokens_per_minute=1000))
    call: dict[str, Any] = {"body": {"messages": [], "max_tokens": 100}, "body_bytes": 500}
    whole, rest = await admit(limits, **call), await admit(limits, **call)
    assert (whole.needs, rest.needs) == ([600], [400])
    rest.settle(300, 100, 0)
    with pytest.raises(LimitExceededError, match="which needs 226"):
        await admit(limits, **call)
    whole.settle(300, 100, 0)
    small = await admit(limits, body={"messages": [], "max_tokens": 74}, body_bytes=500)
    assert small.needs == [200], "as much as it needs, a token for four bytes"


async def test_calls_that_ask_for_the_rest_at_once_share_it_in_turn() -> None:
    limits = await limits_of(Reached(), Limit(subject="user#*", tokens_per_minute=1000))
    calls = [admit(limits, body={"messages": []}, body_bytes=400), *(admit(limits, body_bytes=400) for _ in range(3))]
    first, *others = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(first, Reservation) and first.needs == [1000]
    assert all(isinstance(other, LimitExceededError) for other in others)


async def test_rest_that_other_tasks_take_meanwhile_is_not_waited_for() -> None:
    ledger = Reached()
    rows = Limit(subject="user#*", tokens_per_minute=1000)
    first, second = await limits_of(ledger, rows), await limits_of(ledger, rows)
    call: dict[str, Any] = {"body": {"messages": []}, "body_bytes": 400}
    ended = await asyncio.gather(admit(first, **call), admit(second, **call), return_exceptions=True)
    assert sorted(type(one).__name__ for one in ended) == ["LimitExceededError", "Reservation"]
    assert ledger.committed(TOKENS) == 1000


async def test_call_that_cannot_fit_is_told_so() -> None:
    limits = await limits_of(Reached(), Limit(subject="user#*", tokens_per_minute=1000))
    with pytest.raises(LimitExceededError, match="too low for this call, which needs 2026"):
        await admit(limits, body={"messages": [], "max_tokens": 2000})


async def test_budget_says_what_a_call_may_cost() -> None:
    limits = await limits_of(Reached(), Limit(subject="group#physics", budget_micro_usd=1_000_000))
    (await admit(limits)).settle(0, 0, 999_950)
    with pytest.raises(LimitExceededError) as refused:
        await admit(limits)
    assert refused.value.given_code == "budget_exceeded"
    assert refused.value.message.startswith(
        "The budget of $1.00 a month for the group `physics` does not cover this call, which needs $0.000056."
    )


async def test_model_that_costs_nothing_is_not_bound_by_a_budget() -> None:
    limits = await limits_of(Reached(), Limit(subject="user#*", budget_micro_usd=0))
    free = model(pricing={"inputCostPerToken": 0, "outputCostPerToken": 0})
    await admit(limits, rows=[free])
    with pytest.raises(LimitExceededError):
        await admit(limits, rows=[free, model("paid")])
    answers = model(pricing={"inputCostPerToken": 0, "outputCostPerToken": 1e-6})
    with pytest.raises(LimitExceededError):
        await admit(limits, rows=[answers], body={"messages": []})


async def test_caller_who_leaves_does_not_wait_for_the_ledger() -> None:
    class Silent:
        def __init__(self) -> None:
            self.answers: list[asyncio.Future[Moved]] = []

        async def move(self, _move: Move) -> Moved:
            self.answers.append(asyncio.get_running_loop().create_future())
            return await self.answers[-1]

    async def hang_up() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def unused(_message: dict[str, Any]) -> None:
        raise AssertionError

    ledger = Silent()
    limits = Limits(lambda: [Limit(subject="user#*", requests_per_minute=100)], ledger, 5)
    await limits.refresh()
    exchange = Exchange({"raw_path": b"/", "headers": []}, hang_up, unused)
    with pytest.raises(ClientLeftError):
        await admit(limits, waiting=lambda: Watch(exchange))
    ledger.answers[0].set_result(Moved(True, 8, 1))  # comes late, and belongs to whoever calls next
    await asyncio.sleep(0)
    await admit(limits, waiting=lambda: Watch(exchange))


async def test_what_lies_idle_after_many_calls_is_back_within_two_sweeps() -> None:
    now = [NOW]
    ledger = Reached()
    limits = await limits_of(ledger, Limit(subject="user#*", tokens_per_minute=1_000_000), clock=lambda: now[0])
    reserved = []
    for _ in range(500):
        now[0] += 0.001
        reserved.append(await admit(limits))
    await limits.sweep()
    for reservation in reserved:  # most of it comes back: more than a lease in use keeps
        reservation.settle(1, 0, 0)
    assert ledger.committed(TOKENS) > 50_000
    await limits.sweep()
    await limits.sweep()
    assert ledger.committed(TOKENS) == 500


async def test_every_limit_of_a_caller_holds() -> None:
    rows = [
        Limit(subject="user#*", requests_per_minute=5),
        Limit(subject="key#*", requests_per_minute=3),
        Limit(subject="group#physics", requests_per_minute=2),
    ]
    ledger = Reached()
    limits = await limits_of(ledger, *rows)
    for _ in range(2):
        await admit(limits)
    with pytest.raises(LimitExceededError, match="the group `physics`"):
        await admit(limits)
    await admit(limits, Caller(username="bob", groups=frozenset({"chemistry"}), key_id="key-2"))
    await limits.sweep()
    await limits.sweep()
    assert ledger.committed(REQUESTS) == 2, "a refused call counts nowhere"


async def test_calls_of_one_user_with_other_groups_or_another_key_have_their_own_limits() -> None:
    rows = [Limit(subject="key#*", requests_per_minute=2), Limit(subject="group#physics", requests_per_minute=1)]
    limits = await limits_of(Reached(), *rows)
    await admit(limits)
    with pytest.raises(LimitExceededError, match="the group `physics`"):
        await admit(limits)
    elsewhere = Caller(username="ada", groups=frozenset({"chemistry"}), key_id="key-1")
    await admit(limits, elsewhere)
    with pytest.raises(LimitExceededError, match="this API key"):
        await admit(limits, elsewhere)
    await admit(limits, Caller(username="ada", groups=frozenset({"chemistry"}), key_id="key-2"))


async def test_management_key_is_bound_by_its_own_row_only() -> None:
    caller = Caller(username="lisa-management-token", key_id="management")
    limits = await limits_of(Reached(), Limit(subject="user#*", requests_per_minute=1))
    for _ in range(3):
        await admit(limits, caller)


async def test_counting_tokens_reserves_none() -> None:
    ledger = Reached()
    limits = await limits_of(ledger, Limit(subject="user#*", tokens_per_minute=10))
    (await admit(limits, operation=COUNT_TOKENS)).settle(0, 0, 0)
    assert ledger.committed(TOKENS) == 0


async def test_prompt_that_grows_reserves_more_tokens_and_dollars() -> None:
    ledger = Reached()
    rows = Limit(subject="user#*", requests_per_minute=1, tokens_per_minute=1000, budget_micro_usd=1000)
    limits = await limits_of(ledger, rows)
    priced = await Prices(lambda: b"{}").learned([model()])
    reservation = await admit(limits)
    await limits.extend(reservation, priced, 500, contextlib.nullcontext)
    assert reservation.needs == [1, 610, 630]
    with pytest.raises(LimitExceededError, match="which needs 1001"):
        await limits.extend(reservation, priced, 4000, contextlib.nullcontext)
    assert reservation.needs == [1, 610, 630]
    reservation.settle(500, 10, 530)
    for _ in range(3):
        await limits.sweep()
    assert [ledger.committed(quota) for quota in (REQUESTS, TOKENS, COST)] == [1, 510, 530]


async def test_embeddings_reserve_no_answer() -> None:
    limits = await limits_of(Reached(), Limit(subject="user#*", tokens_per_minute=100))
    await admit(limits, operation=EMBEDDINGS, body={"input": "x"})


async def test_ledger_out_of_reach_refuses_whoever_has_a_limit() -> None:
    ledger = Reached()
    limits = await limits_of(ledger, Limit(subject="user#ada", requests_per_minute=5))
    ledger.is_away = True
    with pytest.raises(UnavailableError):
        await admit(limits)
    await admit(limits, Caller(username="bob"))
    ledger.is_away = False
    await admit(limits)


async def test_refusals_are_remembered_for_a_moment() -> None:
    ledger = Reached()
    limits = await limits_of(ledger, Limit(subject="user#*", requests_per_minute=1))
    await admit(limits)
    for _ in range(50):
        with pytest.raises(LimitExceededError):
            await admit(limits)
    assert len(ledger.moves) == 2


async def test_calls_that_come_at_once_share_a_slice() -> None:
    ledger = Reached()
    limits = await limits_of(ledger, Limit(subject="user#*", requests_per_minute=1000))
    await asyncio.gather(*(admit(limits) for _ in range(500)))
    assert len(ledger.moves) < 8


async def test_caller_who_leaves_while_the_ledger_is_asked_keeps_nothing() -> None:
    ledger = Reached()
    limits = await limits_of(ledger, Limit(subject="user#*", requests_per_minute=10))
    call = asyncio.create_task(admit(limits))
    await asyncio.sleep(0)
    call.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    for _ in range(3):
        await limits.sweep()
    assert ledger.committed(REQUESTS) == 0


async def test_limits_unknown_yet_refuse_everybody() -> None:
    def away() -> Iterable[Limit]:
        raise UnavailableError("away")

    limits = Limits(away, Asking(Reached()), 5)
    assert await limits.refresh() is False
    assert not limits.is_ready
    with pytest.raises(UnavailableError):
        await admit(limits)


async def test_known_limits_hold_while_the_table_is_away() -> None:
    answers: list[Any] = [[Limit(subject="user#*", requests_per_minute=1)], UnavailableError("away")]

    def read() -> Iterable[Limit]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return list(answer)

    limits = Limits(read, Asking(Reached()), 5, lambda: NOW)
    assert [await limits.refresh(), await limits.refresh()] == [True, False]
    await admit(limits)
    with pytest.raises(LimitExceededError):
        await admit(limits)


async def test_changed_limit_holds_for_the_next_call() -> None:
    rows = [Limit(subject="user#*", requests_per_minute=1)]
    limits = Limits(lambda: list(rows), Asking(Reached()), 5, lambda: NOW)
    await limits.refresh()
    await admit(limits)
    rows[0] = Limit(subject="user#*", requests_per_minute=2)
    await limits.refresh()
    await admit(limits)


async def test_lowered_limit_sells_nothing_of_the_slice_of_the_higher_one() -> None:
    ledger, now = Reached(), [NOW]
    rows = [Limit(subject="user#*", budget_micro_usd=10_000_000_000)]
    limits = Limits(lambda: list(rows), Asking(ledger), 5, lambda: now[0])
    await limits.refresh()
    for _ in range(200):  # slices grow, and the next is fetched before one ends
        now[0] += 0.1
        (await admit(limits)).settle(100, 10, 130)
        await asyncio.sleep(0)
    assert ledger.committed(COST) > 200 * 130
    rows[0] = Limit(subject="user#*", budget_micro_usd=10_000)
    await limits.refresh()
    with pytest.raises(LimitExceededError):
        await admit(limits)
    assert ledger.committed(COST) == 200 * 130


async def test_stopping_gives_everything_back() -> None:
    ledger = Reached()
    limits = Limits(lambda: [Limit(subject="user#*", requests_per_minute=1000)], Asking(ledger), 5)
    async with limits.running():
        await limits.refresh()
        (await admit(limits)).settle(1, 1, 1)
    assert [row.committed for row in ledger.rows.values()] == [1]
    assert not any(row.marks for row in ledger.rows.values())


async def test_stopping_gives_back_what_is_on_its_way() -> None:
    class Slow(Reached):
        async def ask(self, request: Move) -> Moved:
            moved = await super().ask(request)
            await asyncio.sleep(0.02)
            return moved

    ledger = Slow()
    limits = Limits(lambda: [Limit(subject="user#*", requests_per_minute=1000)], Asking(ledger), 5)
    async with limits.running():
        await limits.refresh()
        call = asyncio.create_task(admit(limits))
        await asyncio.sleep(0.01)
        call.cancel()
    assert [row.committed for row in ledger.rows.values()] == [0]


async def test_budget_holds_for_what_is_priced_by_the_picture() -> None:
    ledger = Reached()
    raw = b'{"dall": {"mode": "image_generation", "litellm_provider": "openai", "output_cost_per_image": 0.04}}'
    limits = await limits_of(ledger, Limit(subject="user#*", budget_micro_usd=100_000))
    asked: dict[str, Any] = {"rows": [model(name="openai/dall", pricing=None)], "operation": IMAGES}
    asked["prices"] = Prices(lambda: raw)
    first = await admit(limits, **asked, body={"n": 2})
    with pytest.raises(LimitExceededError):
        await admit(limits, **asked, body={"n": 1})
    first.settle(0, 0, 40_000)  # one of the two was made
    await admit(limits, **asked, body={"n": 1})
    with pytest.raises(LimitExceededError, match="budget"):
        await admit(limits, **asked, body={"n": 3})
