"""Every domain event has a golden sample that its class reads back without loss."""

import json
from pathlib import Path

import pytest
from lisa.events import EVENTS, DomainEvent

SAMPLES = Path(__file__).parents[2] / "events" / "bus"


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.detail_type)
def test_sample_is_what_the_class_says(kind: type[DomainEvent]) -> None:
    envelope = json.loads((SAMPLES / f"{kind.detail_type}.v1.json").read_text())
    assert (envelope["source"], envelope["detail-type"]) == (kind.source, kind.detail_type)
    event = kind.model_validate(envelope["detail"])
    assert json.loads(event.model_dump_json(by_alias=True)) == envelope["detail"]


def test_every_sample_has_a_class() -> None:
    assert {path.name for path in SAMPLES.glob("*.json")} == {f"{kind.detail_type}.v1.json" for kind in EVENTS}
