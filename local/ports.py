"""Busy ports are found before anything is started, with the name of who holds them."""

import errno
import socket
import time
from pathlib import Path

from local.problems import LocalError
from local.settings import LocalSettings

PATIENCE_SECONDS = 6.0  # a stack that was killed a moment ago still lets go of its ports
LISTENING = "0A"


def check_ports(settings: LocalSettings) -> None:
    """Raises: LocalError naming every busy port, its holder and the variable that moves it."""
    chosen = [port for port, _ in settings.ports().values()]
    twice = [port for port in chosen if chosen.count(port) > 1]
    if twice:
        raise LocalError(f"Port {twice[0]} is given to two parts. Set {', '.join(settings.ports())} to different ones.")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while busy := {name: use for name, use in settings.ports().items() if is_busy(use[0])}:
        if time.monotonic() > deadline:
            raise LocalError("\n".join(_complaint(name, *use) for name, use in busy.items()))
        time.sleep(0.3)


def is_busy(port: int) -> bool:
    """Whether somebody listens on the loopback's port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno == errno.EACCES:
                raise LocalError(f"Port {port} is not for ordinary users. Choose one above 1023.") from None
            return True
    return False


def _complaint(variable: str, port: int, use: str) -> str:
    holder = holder_of(port)
    return (
        f"Port {port} ({use}) is in use{f' by {holder}' if holder else ''}."
        f" End that program, or choose another port: {variable}={port + 1000} make run"
    )


def holder_of(port: int) -> str:
    """`nginx (process 812)` for who listens on a port, as far as Linux tells; else empty."""
    inodes = {
        parts[9]
        for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
        if table.exists()
        for parts in (line.split() for line in table.read_text().splitlines()[1:])
        if parts[3] == LISTENING and int(parts[1].rpartition(":")[2], 16) == port
    }
    for descriptor in Path("/proc").glob("[0-9]*/fd/*") if inodes else ():
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue  # ended meanwhile, or somebody else's
        if target.startswith("socket:[") and target[8:-1] in inodes:
            process = descriptor.parents[1]
            return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return ""
