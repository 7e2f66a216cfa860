"""The states of a repository."""

from datetime import UTC, datetime, timedelta

import pytest
from lisa.errors import ConflictError
from lisa.repositories.schemas import Repository, RepositoryStatus, RepositoryType
from lisa.repositories.transitions import LIMIT, require_changeable, require_deletable, shown_at, status_at

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
WORK = (RepositoryStatus.CREATE_IN_PROGRESS, RepositoryStatus.DELETE_IN_PROGRESS)


def repository(status: RepositoryStatus) -> Repository:
    return Repository(repository_id="docs", type=RepositoryType.PGVECTOR, status=status, updated_at=NOON.isoformat())


@pytest.mark.parametrize("status", list(RepositoryStatus))
def test_work_ends_by_itself_and_nothing_else_does(status: RepositoryStatus) -> None:
    row = repository(status)
    assert status_at(row, NOON + LIMIT - timedelta(seconds=1)) is status
    late = shown_at(row, NOON + LIMIT)
    assert (late.status is status) is (status not in WORK)
    assert bool(late.failure_reason) is (status in WORK)


@pytest.mark.parametrize("status", list(RepositoryStatus))
def test_everything_but_work_can_be_deleted(status: RepositoryStatus) -> None:
    row = repository(status)
    if status in WORK:
        with pytest.raises(ConflictError):
            require_deletable(row, NOON)
        require_deletable(row, NOON + LIMIT)
    else:
        require_deletable(row, NOON)


@pytest.mark.parametrize("status", ["CREATE_FAILED", "DELETE_FAILED", *WORK])
def test_what_is_not_there_cannot_be_changed(status: str) -> None:
    with pytest.raises(ConflictError):
        require_changeable(repository(RepositoryStatus(status)), NOON)
