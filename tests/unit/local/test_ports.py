"""A busy port is a message that says what to do."""

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from local import ports
from local.problems import LocalError
from local.settings import LocalSettings


@pytest.fixture
def busy() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def settings(port: int) -> LocalSettings:
    free = []
    for _ in range(5):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            free.append(probe.getsockname()[1])
    names = ("emulator_port", "postgres_port", "gateway_port", "models_port", "llm_port")
    return LocalSettings(port=port, **dict(zip(names, free, strict=True)))


def test_the_message_names_port_holder_and_variable(busy: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "PATIENCE_SECONDS", 0)
    with pytest.raises(LocalError) as complaint:
        ports.check_ports(settings(busy))
    message = complaint.value.message
    assert f"Port {busy} (page, API and Serve) is in use" in message
    assert "LISA_PORT=" in message
    if sys.platform == "linux":
        assert "(process " in message


def test_a_port_that_is_let_go_soon_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import socket, time; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen();"
        "print(s.getsockname()[1], flush=True); time.sleep(0.7)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        ports.check_ports(settings(int(holder.stdout.readline())))


def test_one_port_for_two_parts_is_refused() -> None:
    with pytest.raises(LocalError, match="two parts"):
        ports.check_ports(LocalSettings(port=18080, gateway_port=18080))
