"""Several tasks on one ledger whose answers come late, twice or never: what is proved of limits and budgets.

1. What is committed is never less than what was spent, but for what calls used beyond what they had reserved.
2. What was spent, with all that running calls have reserved, is never over a limit, but for the same.
3. A running call has reserved the most that it may use, or what was left of the limit, and then its likely size.
4. When every call has ended and every task gave back what it held, what is committed is what was spent.

So a limit is exceeded by what calls may use beyond what was left for them, and by what they use beyond their bound.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from gateway.errors import LimitExceededError
from gateway.limits.admission import Limits, Reservation
from gateway.limits.estimates import Needs, needs_of
from gateway.operations import CHAT, IMAGES, Operation
from gateway.pricing.prices import Prices
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from lisa.auth.schemas import Caller
from lisa.errors import UnavailableError
from lisa.models.schemas import ModelRow
from lisa.usage.ledger import Move, Moved
from lisa.usage.schemas import Limit

from tests.fixtures.ledger import MemoryLedger

MODEL = ModelRow.model_validate(
    {
        "modelId": "m",
        "modelName": "openai/m",
        "modelType": "textgen",
        "maxOutputTokens": 50,
        "pricing": {"inputCostPerToken": 1e-6, "outputCostPerToken": 3e-6},
    }
)
PICTURES = ModelRow.model_validate({"modelId": "p", "modelName": "openai/p", "modelType": "imagegen"})
LIST = b'{"p": {"mode": "image_generation", "litellm_provider": "openai", "output_cost_per_image": 0.0003}}'
PRICES = Prices(lambda: LIST)
T = TypeVar("T")
LIMITS = [
    Limit(subject="user#*", requests_per_minute=6, budget_micro_usd=1500),
    Limit(subject="user#ada", tokens_per_minute=400, budget_micro_usd=1000),
    Limit(subject="key#k", requests_per_minute=40),
    Limit(subject="group#g", tokens_per_minute=700),
]
CALLERS = [
    Caller(username="ada", groups=frozenset({"g"})),
    Caller(username="bob", groups=frozenset({"g", "h"})),
    Caller(username="bot", key_id="k"),
]
TASKS = 3


class Inline(ThreadPoolExecutor):
    """Runs what it is given at once, so that nothing depends on threads."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        done: Future[T] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


@dataclass
class Sent:
    """A move on its way to the ledger."""

    move: Move
    answer: asyncio.Future[Moved]


@dataclass
class Running:
    """`parts`: (counter, place of its metric, reserved). `most`, by place, is what it uses if nothing is amiss."""

    reservation: Reservation
    parts: list[tuple[str, int, int]]
    most: tuple[int, int, int]


class Task:
    """One process of the gateway."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.sent: list[Sent] = []
        self.limits = Limits(lambda: world.limits, self, 5, lambda: world.now)
        self.waiting: dict[asyncio.Task[Reservation], Needs] = {}
        self.running: list[Running] = []
        self.sweeps: list[asyncio.Task[None]] = []

    async def move(self, move: Move) -> Moved:
        sent = Sent(move, asyncio.get_running_loop().create_future())
        self.sent.append(sent)
        return await sent.answer


class World(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1_800_000_000.0
        self.loop = asyncio.new_event_loop()
        self.loop.set_default_executor(Inline())
        self.ledger = MemoryLedger()
        self.tasks = [Task(self) for _ in range(TASKS)]
        self.history: list[Move] = []
        self.limits = LIMITS
        self.ceiling: Counter[str] = Counter()  # the highest limit under which something was leased that may be in use
        self.spent: Counter[str] = Counter()
        self.overrun: Counter[str] = Counter()
        self.stray: Counter[str] = Counter()
        self.orphaned: list[Move] = []  # lost, and sent by a task that is gone: it may arrive for the first time
        self.may_crash = False
        self.crashed = False  # what a task held is then committed for nobody, until its window ends
        for task in self.tasks:
            self.loop.run_until_complete(task.limits.refresh())

    @initialize(may_crash=st.booleans())
    def choose(self, may_crash: bool) -> None:
        """Only where nothing crashes the books have to be even at the end."""
        self.may_crash = may_crash

    def turn(self) -> None:
        """Lets everything run that can, and looks at which calls were admitted."""
        for _ in range(12):
            self.loop.run_until_complete(asyncio.sleep(0))
        for task in self.tasks:
            for call in [call for call in task.waiting if call.done()]:
                asked = task.waiting.pop(call)
                if call.cancelled() or isinstance(call.exception(), LimitExceededError | UnavailableError):
                    continue
                reservation = call.result()
                plan, needs = reservation.plan, reservation.needs
                parts = [
                    (lease.quota, place, need)
                    for lease, place, need in zip(plan.leases, plan.places, needs, strict=True)
                ]
                for _, place, need in parts:
                    assert asked.likely[place] <= need < asked.most[place] or need == asked.most[place]
                task.running.append(Running(reservation, parts, asked.most))
            task.sweeps = [sweep for sweep in task.sweeps if not sweep.done()]

    @rule(
        number=st.integers(0, TASKS - 1),
        caller=st.sampled_from(CALLERS),
        size=st.integers(1, 150),
        answer=st.one_of(st.none(), st.integers(1, 120)),
        is_answered=st.sampled_from([True, True, True, False]),
    )
    def call(self, number: int, caller: Caller, size: int, answer: int | None, is_answered: bool) -> None:
        """`is_answered`: the ledger is quick this time; else its answers come by other rules, among those of others."""
        body: dict[str, Any] = {"messages": []} if answer is None else {"messages": [], "max_tokens": answer}
        self.ask(self.tasks[number], caller, MODEL, CHAT, body, size, is_answered)

    @rule(
        number=st.integers(0, TASKS - 1),
        caller=st.sampled_from(CALLERS),
        pictures=st.integers(1, 6),
        is_answered=st.booleans(),
    )
    def call_for_pictures(self, number: int, caller: Caller, pictures: int, is_answered: bool) -> None:
        """What has a price by the unit draws on the same budgets."""
        self.ask(self.tasks[number], caller, PICTURES, IMAGES, {"n": pictures}, 20, is_answered)

    def ask(
        self,
        task: Task,
        caller: Caller,
        row: ModelRow,
        operation: Operation,
        body: dict[str, Any],
        size: int,
        is_answered: bool,
    ) -> None:
        priced = [(row, PRICES.of(row))]
        admission = self.loop.create_task(task.limits.admit(caller, priced, operation, body, size))
        task.waiting[admission] = needs_of(operation, body, size, priced)
        self.turn()
        while is_answered and task.sent:
            self.deliver(task, task.sent[0])
            self.turn()

    @precondition(lambda self: any(task.waiting for task in self.tasks))
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """A caller hangs up while the ledger is asked."""
        data.draw(st.sampled_from([call for task in self.tasks for call in task.waiting])).cancel()
        self.turn()

    @precondition(lambda self: any(task.running for task in self.tasks))
    @rule(data=st.data(), share=st.floats(0, 1), excess=st.sampled_from([0, 0, 0, 300]))
    def settle(self, data: st.DataObject, share: float, excess: int) -> None:
        """A call ends: in order, cut short, or with more than anybody could foresee."""
        task, call = data.draw(st.sampled_from([(task, call) for task in self.tasks for call in task.running]))
        task.running.remove(call)
        used = (1, int(call.most[1] * share) + excess, int(call.most[2] * share) + excess)
        call.reservation.settle(used[1], 0, used[2])
        call.reservation.settle(9, 9, 9)
        for quota, place, need in call.parts:
            self.spent[quota] += used[place]
            self.overrun[quota] += max(used[place] - need, 0)
        self.turn()

    @precondition(lambda self: any(task.sent for task in self.tasks))
    @rule(data=st.data(), fate=st.sampled_from(["answered", "answered", "answered", "lost", "answer lost"]))
    def reach_ledger(self, data: st.DataObject, fate: str) -> None:
        task, sent = data.draw(st.sampled_from([(task, sent) for task in self.tasks for sent in task.sent]))
        self.deliver(task, sent, fate)
        self.turn()

    def deliver(self, task: Task, sent: Sent, fate: str = "answered") -> None:
        task.sent.remove(sent)
        self.history.append(sent.move)
        moved = None if fate == "lost" else self.ledger.move(sent.move)
        if sent.move.limit is not None:
            self.ceiling[sent.move.quota] = max(self.ceiling[sent.move.quota], sent.move.limit)
        if moved is None or fate == "answer lost":
            sent.answer.set_exception(UnavailableError("lost"))
        else:
            sent.answer.set_result(moved)

    @precondition(lambda self: self.history)
    @rule(data=st.data())
    def arrive_twice(self, data: st.DataObject) -> None:
        """The network delivers an old move once more: it may commit something for nobody, never the contrary."""
        move = data.draw(st.sampled_from(self.history))
        before = self.ledger.committed(move.quota)
        self.ledger.move(move)
        if move not in self.orphaned and not any(lease.unconfirmed == move for lease in self.leases()):
            self.stray[move.quota] += self.ledger.committed(move.quota) - before
            assert self.stray[move.quota] >= 0

    def leases(self) -> list[Any]:
        return [lease for task in self.tasks for lease in task.limits._leases._known.values()]

    @rule(number=st.integers(0, TASKS - 1))
    def sweep(self, number: int) -> None:
        if not self.tasks[number].sweeps:
            self.tasks[number].sweeps.append(self.loop.create_task(self.tasks[number].limits.sweep()))
        self.turn()

    @precondition(lambda self: self.may_crash)
    @rule(number=st.integers(0, TASKS - 1), share=st.floats(0, 1))
    def crash(self, number: int, share: float) -> None:
        """Running calls cost something, and nobody is left to settle them; moves on their way may still arrive."""
        task = self.tasks[number]
        for call in task.running:
            for quota, place, need in call.parts:
                used = int(call.most[place] * share)
                self.spent[quota] += used
                self.overrun[quota] += max(used - need, 0)
        for work in (*task.waiting, *task.sweeps):
            work.cancel()
        for lease in task.limits._leases._known.values():
            if lease.busy is not None:
                lease.busy.cancel()
            if lease.unconfirmed is not None:
                self.orphaned.append(lease.unconfirmed)
        for sent in task.sent:
            self.ledger.move(sent.move)
        self.crashed = True
        self.tasks[number] = Task(self)
        self.loop.run_until_complete(self.tasks[number].limits.refresh())
        self.turn()

    @rule(share=st.sampled_from([0.3, 1.0, 2.0]))
    def change_limits(self, share: float) -> None:
        """A lower one holds from the next call on, but for a slice that is on its way, and for what is reserved."""
        self.limits = [_times(share, limit) for limit in LIMITS]
        before = self.leases()
        limits = {lease.quota: lease.limit for lease in before}
        used = self.spent - self.overrun  # and what is reserved, also for calls that wait for another quota
        for lease in before:
            used[lease.quota] += lease.reserved
        at_work = {lease.quota for lease in before if lease.busy is not None or lease.unconfirmed is not None}
        for task in self.tasks:
            self.loop.run_until_complete(task.limits.refresh())
            self.loop.run_until_complete(self.plan(task))
        for lease in before:
            quota = lease.quota
            if lease.limit < limits[quota] and quota not in at_work:
                self.ceiling[quota] = max(lease.limit, used[quota])
        self.turn()

    async def plan(self, task: Task) -> None:
        """As the next call of each caller does."""
        for caller in CALLERS:
            task.limits._plan(caller)

    @rule()
    def rest(self) -> None:
        """Everything is given back that nobody uses, while calls run."""
        self.come_to_rest()

    @rule(seconds=st.sampled_from([0.1, 0.6, 1.5, 20.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def committed_covers_spent(self) -> None:
        for quota, amount in self.spent.items():
            assert self.ledger.committed(quota) >= amount - self.overrun[quota], quota

    @invariant()
    def limits_hold(self) -> None:
        reserved: Counter[str] = Counter()
        for task in self.tasks:
            for call in task.running:
                for quota, _, need in call.parts:
                    reserved[quota] += need
        for quota, limit in self.ceiling.items():
            assert self.spent[quota] + reserved[quota] <= limit + self.overrun[quota], quota

    def teardown(self) -> None:
        for admission in [call for task in self.tasks for call in task.waiting]:
            admission.cancel()
        self.turn()
        for task in self.tasks:
            for call in task.running:
                call.reservation.settle(0, 0, 0)
                for quota, place, _ in call.parts:
                    self.spent[quota] += 1 if place == 0 else 0
            task.running = []
        for _ in range(4):
            self.come_to_rest()
        self.committed_covers_spent()
        if not self.crashed:
            for quota, row in self.ledger.rows.items():
                assert 0 <= row.committed - self.spent[quota] <= self.stray[quota], quota
                assert not row.marks or self.stray[quota], quota
        self.loop.close()

    def come_to_rest(self) -> None:
        for task in self.tasks:
            if not task.sweeps:
                task.sweeps.append(self.loop.create_task(task.limits.sweep(is_last=True)))
        self.turn()
        turns = 0
        while any(task.sent for task in self.tasks):
            turns += 1
            assert turns < 100, "the tasks never stop asking the ledger"
            for task in self.tasks:
                for sent in list(task.sent):
                    self.deliver(task, sent)
            self.turn()


def _times(share: float, limit: Limit) -> Limit:
    numbers = limit.model_dump(exclude={"subject", "budget_period"}, exclude_none=True)
    return limit.model_copy(update={name: int(number * share) for name, number in numbers.items()})


World.TestCase.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
TestLimits = World.TestCase
