"""The cache stays bounded and keeps its deadlines."""

import pytest
from lisa.errors import UnavailableError
from lisa.memory import DeadlineCache, Remembered


def test_cache_drops_the_oldest_at_its_limit() -> None:
    cache: DeadlineCache[int] = DeadlineCache(3, lambda: 0.0)
    for number in range(10):
        cache.put(bytes([number]), number, 1.0)
    assert len(cache) == 3
    assert [cache.get(bytes([number])) for number in (6, 7, 8, 9)] == [None, 7, 8, 9]


def test_cache_forgets_at_the_deadline() -> None:
    moment = [0.0]
    cache: DeadlineCache[str] = DeadlineCache(3, lambda: moment[0])
    cache.put(b"k", "v", 10.0)
    moment[0] = 9.9
    assert cache.get(b"k") == "v"
    moment[0] = 10.0
    assert cache.get(b"k") is None


def test_remembered_value_survives_its_source() -> None:
    answers: list[str | None] = ["one", None, "two"]
    moment = [0.0]

    def read() -> str:
        answer = answers.pop(0)
        if answer is None:
            raise UnavailableError("down")
        return answer

    value = Remembered(read, lambda: moment[0])
    assert value.get(10) == "one"
    moment[0] = 10
    assert value.get(10) == "one"
    assert value.get(10) == "one"  # the failed try counts: the source is not hammered
    moment[0] = 20
    assert value.get(10) == "two"


def test_value_that_was_never_read_is_unavailable() -> None:
    def read() -> str:
        raise UnavailableError("down")

    with pytest.raises(UnavailableError):
        Remembered(read, lambda: 0.0).get(10)
