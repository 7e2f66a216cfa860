"""The states of a model."""

from datetime import UTC, datetime, timedelta

import pytest
from lisa.errors import BadRequestError, ConflictError
from lisa.models.schemas import ModelRow, ModelStatus, ModelType
from lisa.models.transitions import LIMIT, require_settled, shown_at, status_at, way_of

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def row(status: ModelStatus) -> ModelRow:
    return ModelRow(
        model_id="m", model_name="openai/m", model_type=ModelType.TEXTGEN, status=status, last_modified=NOON.isoformat()
    )


@pytest.mark.parametrize("enabled", [None, True, False])
@pytest.mark.parametrize("status", [status for status in ModelStatus if not status.is_stable])
def test_nothing_changes_a_model_that_is_being_changed(status: ModelStatus, enabled: bool | None) -> None:
    with pytest.raises(BadRequestError):
        way_of(status, enabled)
    with pytest.raises(ConflictError):
        require_settled(status)


@pytest.mark.parametrize("status", [ModelStatus.IN_SERVICE, ModelStatus.STOPPED, ModelStatus.FAILED])
@pytest.mark.parametrize("enabled", [None, True, False])
def test_every_way_goes_through_a_passing_state_and_ends_in_a_stable_one(
    status: ModelStatus, enabled: bool | None
) -> None:
    if (status, enabled) in ((ModelStatus.IN_SERVICE, True), (ModelStatus.STOPPED, False)):
        return
    through, end = way_of(status, enabled)
    assert not through.is_stable
    assert end.is_stable and end is not ModelStatus.FAILED


def test_failed_model_takes_every_change() -> None:
    assert way_of(ModelStatus.FAILED, None)[1] is ModelStatus.IN_SERVICE
    assert way_of(ModelStatus.FAILED, True)[1] is ModelStatus.IN_SERVICE
    assert way_of(ModelStatus.FAILED, False)[1] is ModelStatus.STOPPED


@pytest.mark.parametrize("status", list(ModelStatus))
def test_passing_states_end_by_themselves(status: ModelStatus) -> None:
    late = NOON + LIMIT
    assert status_at(row(status), late - timedelta(seconds=1)) is status
    assert status_at(row(status), late) is (status if status.is_stable else ModelStatus.FAILED)
    assert bool(shown_at(row(status), late).failure_reason) is not status.is_stable
