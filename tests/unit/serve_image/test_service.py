import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from lisa.errors import UnavailableError
from lisa.serve_image import service
from lisa.serve_image.sources import archive, tag_of

REQUEST = {
    "RequestType": "Create",
    "StackId": "stack",
    "RequestId": "r1",
    "LogicalResourceId": "ServeImage",
    "ResourceProperties": {"Architecture": "x86_64"},
}
REPOSITORY = "registry.example.com/serve"


class MemorySources:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, name: str, content: bytes) -> str:
        self.kept[name] = content
        return f"bucket/{name}"


class MemoryMachine:
    def __init__(self, broken: bool = False) -> None:
        self.broken = broken
        self.started: list[tuple[str, str, dict[str, Any]]] = []

    def start(self, subject: str, change: str, task: Mapping[str, Any]) -> str:
        if self.broken:
            raise UnavailableError("no")
        self.started.append((subject, change, dict(task)))
        return "arn"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    (tmp_path / "serve").mkdir()
    (tmp_path / "serve" / "Dockerfile").write_text("FROM scratch")
    (tmp_path / "a.py").write_text("print()")
    return tmp_path


def ask(event: dict[str, Any], sources: Path, machine: MemoryMachine, store: MemorySources) -> dict[str, Any] | None:
    return service.request_image(event, sources, lambda: store, lambda: machine, lambda: REPOSITORY)


def test_the_machine_gets_sources_and_image_and_answers_later(sources: Path) -> None:
    machine, store = MemoryMachine(), MemorySources()
    assert ask(REQUEST, sources, machine, store) is None
    ((subject, change, task),) = machine.started
    ((name, content),) = store.kept.items()
    assert zipfile.ZipFile(io.BytesIO(content)).namelist() == ["a.py", "serve/Dockerfile"]
    tag = tag_of(content, "x86_64")
    assert (subject, change, name) == (f"serve-image-{tag}", "r1", f"serve-image/{tag}.zip")
    assert task == {"request": REQUEST, "sources": f"bucket/{name}", "tag": tag, "image": f"{REPOSITORY}:{tag}"}
    json.dumps(task)


def test_the_same_sources_have_the_same_tag_and_others_another(sources: Path) -> None:
    before = archive(sources)
    (sources / "a.py").touch()
    assert archive(sources) == before
    (sources / "a.py").write_text("print(1)")
    assert tag_of(archive(sources), "x86_64") != tag_of(before, "x86_64")


def test_another_processor_is_another_image(sources: Path) -> None:
    machine, store = MemoryMachine(), MemorySources()
    for architecture in ("x86_64", "arm64"):
        ask(REQUEST | {"ResourceProperties": {"Architecture": architecture}}, sources, machine, store)
    assert len({task["image"] for _, _, task in machine.started}) == 2


def test_a_deletion_is_answered_at_once(sources: Path) -> None:
    machine = MemoryMachine()
    answer = ask(REQUEST | {"RequestType": "Delete"}, sources, machine, MemorySources())
    assert answer is not None
    assert (answer["Status"], answer["PhysicalResourceId"], machine.started) == ("SUCCESS", "serve-image", [])


@pytest.mark.parametrize("event", [REQUEST, {"RequestType": "Update"}])
def test_what_cannot_start_is_answered_too(sources: Path, event: dict[str, Any]) -> None:
    answer = ask(event, sources, MemoryMachine(broken=True), MemorySources())
    assert answer is not None
    assert answer["Status"] == "FAILED"
    assert "Deploy again" in answer["Reason"]


def test_a_built_image_becomes_the_resources_attribute() -> None:
    answer = service.answer_of(service.ImageResult(request=REQUEST, image="registry/serve:1"))
    assert (answer["Status"], answer["Data"], answer["RequestId"]) == (
        "SUCCESS",
        {"ImageUri": "registry/serve:1"},
        "r1",
    )


def test_a_failed_build_says_where_to_look() -> None:
    error = {"Error": "States.TaskFailed", "Cause": "x" * 9000}
    answer = service.answer_of(service.ImageResult(request=REQUEST, image="i", error=error))
    assert (answer["Status"], "Data" in answer) == ("FAILED", False)
    assert "CodeBuild" in answer["Reason"]
    assert len(json.dumps(answer)) < 4096
