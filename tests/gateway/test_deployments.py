"""Several deployments behind one model, fallbacks, retries and rest."""

from collections import Counter
from typing import Any

import openai
import pytest
from gateway.routing.deployments import FAILURES_BEFORE_REST, Deployments
from gateway.routing.registry import Registry, targets_of
from lisa.auth.schemas import Caller
from lisa.errors import UnavailableError

from tests.gateway.conftest import World, unused_port
from tests.gateway.serving import eventually

ASK: list[Any] = [{"role": "user", "content": "Hi"}]
ADA = Caller(username="ada", groups=frozenset({"user"}))
SOUND = "openai/echo"


def row(model_id: str, name: str = SOUND, **more: Any) -> dict[str, Any]:
    return {
        "modelId": model_id,
        "modelName": name,
        "modelType": "textgen",
        "status": "InService",
        "modelUrl": None if name == "lisa/deployments" else "http://up/v1",
        **more,
    }


def weighted(**weights: int) -> list[dict[str, Any]]:
    return [{"modelId": model_id, "weight": weight} for model_id, weight in weights.items()]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def deployments(*rows: dict[str, Any], clock: Clock | None = None) -> tuple[Registry, Deployments]:
    registry = Registry(lambda: rows, 5)
    registry._targets, unusable = targets_of(rows)
    assert not unusable
    return registry, Deployments(registry, 30, clock or Clock())


def order(registry: Registry, subject: Deployments, caller: Caller = ADA, model_id: str = "both") -> list[str]:
    return [target.model_id for target in subject.order(registry.find(model_id, caller), caller)]


def test_weights_decide_how_often_a_deployment_is_first() -> None:
    both = row("both", "lisa/deployments", deployments=weighted(east=3, west=1))
    registry, subject = deployments(row("east"), row("west"), both)
    first = Counter(order(registry, subject)[0] for _ in range(4000))
    assert 0.7 < first["east"] / 4000 < 0.8
    assert set(order(registry, subject)) == {"east", "west"}


def test_fallbacks_come_after_the_deployments_in_their_order() -> None:
    both = row("both", "lisa/deployments", deployments=weighted(east=1), fallbacks=["second", "first"])
    registry, subject = deployments(row("east"), row("first"), row("second"), both)
    assert order(registry, subject) == ["east", "second", "first"]


def test_deployment_that_failed_three_times_in_a_row_rests_and_comes_back() -> None:
    clock = Clock()
    both = row("both", "lisa/deployments", deployments=weighted(east=1000, west=1))
    registry, subject = deployments(row("east"), row("west"), both, clock=clock)
    east = registry.find("east", ADA)
    for _ in range(FAILURES_BEFORE_REST - 1):
        subject.failed(east)
    subject.succeeded(east)
    for _ in range(FAILURES_BEFORE_REST):
        assert "east" in {order(registry, subject)[0] for _ in range(100)}
        subject.failed(east)
    assert {order(registry, subject)[0] for _ in range(100)} == {"west"}
    assert order(registry, subject)[-1] == "east"  # when nothing else answers
    clock.now += 31
    assert "east" in {order(registry, subject)[0] for _ in range(100)}


def test_upstream_that_asks_for_time_gets_it() -> None:
    clock = Clock()
    both = row("both", "lisa/deployments", deployments=weighted(east=1000, west=1))
    registry, subject = deployments(row("east"), row("west"), both, clock=clock)
    subject.failed(registry.find("east", ADA), retry_after=5)
    assert {order(registry, subject)[0] for _ in range(50)} == {"west"}
    clock.now += 6
    assert "east" in {order(registry, subject)[0] for _ in range(100)}


def test_groups_hold_for_every_deployment_and_fallback() -> None:
    both = row("both", "lisa/deployments", deployments=weighted(east=1, secret=1), fallbacks=["hidden", "west"])
    registry, subject = deployments(
        row("east"),
        row("west"),
        row("secret", allowedGroups=["physics"]),
        row("hidden", allowedGroups=["physics"]),
        both,
    )
    assert order(registry, subject) == ["east", "west"]
    root = Caller(username="root", is_admin=True)
    assert set(order(registry, subject, root)) == {"east", "secret", "hidden", "west"}


def test_model_without_a_deployment_in_service_says_so() -> None:
    both = row("both", "lisa/deployments", deployments=weighted(east=1))
    registry, subject = deployments(row("east", status="Stopped"), both)
    with pytest.raises(UnavailableError, match="No deployment"):
        order(registry, subject)


@pytest.fixture(scope="module")
def several(world: World) -> World:
    up = world.upstream_url
    register = world.account.register
    register("flaky", "openai/flaky", up)
    register("broken-again", "openai/html", up)
    register("gone-again", "openai/echo", f"http://127.0.0.1:{unused_port()}/v1")
    register("hang-again", "openai/hang", up)
    for name, members in {
        "gone-first": ["gone-again"],
        "broken-first": ["broken-again"],
        "refused-first": ["key-refused"],
        "limited-first": ["rate-limited"],
        "cut-first": ["cut"],
    }.items():
        register(name, "lisa/deployments", deployments=weighted(**dict.fromkeys(members, 1)), fallbacks=["echo"])
    register("hang-first", "openai/hang", up, fallbacks=["echo"])
    register("nothing-works", "lisa/deployments", deployments=weighted(**{"gone-again": 1, "broken-again": 1}))
    eventually(lambda: "nothing-works" in {model.id for model in world.sdk().models.list()})
    return world


def chat(world: World, model: str, stream: bool = False) -> str:
    sdk = world.sdk()
    if stream:
        chunks = sdk.chat.completions.create(model=model, messages=ASK, stream=True)
        return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    return sdk.chat.completions.create(model=model, messages=ASK).choices[0].message.content or ""


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["gone-first", "broken-first", "refused-first", "limited-first"])
def test_fallback_answers_when_the_first_deployment_cannot(several: World, model: str, stream: bool) -> None:
    assert chat(several, model, stream).startswith("Hello")


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize("stream", [False, True])
def test_fallback_answers_when_the_first_deployment_is_silent(impatient: World, stream: bool) -> None:
    assert chat(impatient, "hang-first", stream).startswith("Hello")


def test_failure_that_passes_is_retried(several: World) -> None:
    assert chat(several, "flaky").startswith("Hello")


def test_broken_stream_is_never_begun_again(several: World) -> None:
    with pytest.raises(openai.APIError, match="broke off"):
        chat(several, "cut-first", stream=True)


def test_upstream_that_asks_for_time_is_not_asked_again_in_vain(several: World) -> None:
    before = len(several.upstream.seen.bodies)
    with pytest.raises(openai.RateLimitError):
        chat(several, "rate-limited")
    assert len(several.upstream.seen.bodies) == before + 1


def test_error_of_the_last_attempt_is_what_the_caller_sees(several: World) -> None:
    with pytest.raises(openai.APIStatusError) as failure:
        chat(several, "nothing-works")
    assert failure.value.status_code in (502, 503)
