"""Which deployments answer a call and in which order; one that fails again and again gets a rest."""

import random
import time
from collections.abc import Callable, Sequence

from lisa.auth.schemas import Caller
from lisa.errors import UnavailableError

from gateway.errors import ModelNotFoundError
from gateway.routing.registry import Registry
from gateway.routing.targets import Target

FAILURES_BEFORE_REST = 3  # in a row; a single bad answer may be about the question
MAX_REST_SECONDS = 300.0


class Deployments:
    """The state of rest is this task's own: each gateway task finds out by itself what it can reach."""

    def __init__(self, registry: Registry, rest_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._failures: dict[str, int] = {}
        self._resting: dict[str, float] = {}  # model id → until when

    def order(self, named: Target, caller: Caller) -> Sequence[Target]:
        """The deployments to try: those of the model by weight, then its fallbacks', the resting ones last.

        The caller's groups have to allow each of them too. Raises: UnavailableError when none is in service.
        """
        if not named.row.deployments and not named.row.fallbacks:
            return (named,)
        found = self._of(named, caller)
        for model_id in named.row.fallbacks:
            fallback = self._visible(model_id, caller)
            if fallback is not None:
                found += self._of(fallback, caller)
        unique = list({target.model_id: target for target in found}.values())
        if not unique:
            raise UnavailableError(f"No deployment of the model `{named.model_id}` is in service. Try again later.")
        return sorted(unique, key=self._is_resting)  # stable

    def _of(self, target: Target, caller: Caller) -> list[Target]:
        if not target.row.deployments:
            return [target]
        keyed = []
        for deployment in target.row.deployments:
            member = self._visible(deployment.model_id, caller)
            if member is not None and not member.row.deployments:
                # A weighted order without replacement: Efraimidis and Spirakis, 2006
                keyed.append((random.random() ** (1 / deployment.weight), member))  # noqa: S311 - nothing secret
        return [member for _, member in sorted(keyed, key=lambda pair: -pair[0])]

    def _visible(self, model_id: str, caller: Caller) -> Target | None:
        try:
            return self._registry.find(model_id, caller)
        except ModelNotFoundError:
            return None

    def _is_resting(self, target: Target) -> bool:
        until = self._resting.get(target.model_id)
        if until is None:
            return False
        if until <= self._clock():
            del self._resting[target.model_id]
            return False
        return True

    def succeeded(self, target: Target) -> None:
        if self._failures:
            self._failures.pop(target.model_id, None)

    def failed(self, target: Target, retry_after: float | None = None) -> None:
        """`retry_after`: the seconds for which the upstream asked to be left alone."""
        failures = self._failures.get(target.model_id, 0) + 1
        self._failures[target.model_id] = failures
        if retry_after or failures >= FAILURES_BEFORE_REST:
            rest = min(retry_after or self._rest_seconds, MAX_REST_SECONDS)
            self._resting[target.model_id] = self._clock() + rest
            self._failures.pop(target.model_id)
