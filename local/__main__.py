"""`python -m local up|stop|status|logs|reset`: what the Makefile calls."""

import argparse
import asyncio
import shutil
import subprocess
import sys

from pydantic import ValidationError

from local.deploy import STACK
from local.parts import Parts
from local.passwords import Passwords
from local.postgres import PostgresFiles
from local.problems import LocalError
from local.run_lock import only_run, running_pid, stop_running
from local.settings import LocalSettings
from local.supervisor import Part
from local.terminal import GREEN, RED, Terminal
from local.up import up

KEPT_BY_RESET = "venvs"  # installed programs are no data


def stop(settings: LocalSettings, terminal: Terminal) -> int:
    terminal.line("Stopped." if stop_running(settings.home) else "Nothing was running.")
    return 0


def status(settings: LocalSettings, terminal: Terminal) -> int:
    """Print what answers; exit 0 when all parts do."""
    pid = running_pid(settings.home)
    if pid is None:
        terminal.line("Nothing is running. `make run` starts it.")
        return 1
    parts = Parts(settings, Passwords.load(settings.home))
    listed: list[tuple[Part, int]] = [
        (parts.proxy(), settings.port),
        (parts.emulator(), settings.emulator_port),
        (parts.postgres(), settings.postgres_port),
        (parts.gateway(dict.fromkeys(GATEWAY_NEEDS, STACK)), settings.gateway_port),
        (parts.models(), settings.models_port),
        *([(parts.llm(), settings.llm_port)] if settings.llm else []),
    ]
    answers = asyncio.run(_probe([part for part, _ in listed]))
    terminal.line(f"Running (process {pid}), page: {settings.page_url}/")
    for (part, port), answer in zip(listed, answers, strict=True):
        state = terminal.paint(GREEN, "ready") if answer else terminal.paint(RED, "does not answer")
        terminal.line(f"  {part.name:<10} port {port:<6} {state}")
    return 0 if all(answers) else 1


GATEWAY_NEEDS = (
    "ModelsTable",
    "ApiTokensTable",
    "LimitsTable",
    "LedgerTable",
    "UsageQueueUrl",
    "AuthParameter",
    "ManagementKeySecret",
)


async def _probe(parts: list[Part]) -> list[bool]:
    async def one(part: Part) -> bool:
        try:
            return await asyncio.wait_for(part.is_ready(), 5)
        except (OSError, TimeoutError, LocalError):
            return False

    return await asyncio.gather(*map(one, parts))


def logs(settings: LocalSettings, terminal: Terminal, name: str | None) -> int:
    """Follow the log files until Ctrl-C."""
    files = sorted(settings.logs.glob(f"{name or '*'}.log"))
    if not files:
        terminal.line(f"There are no logs in {settings.logs}.")
        return 1
    return subprocess.run(["tail", "-n", "40", "-F", *files], check=False).returncode


def reset(settings: LocalSettings, terminal: Terminal, *, confirmed: bool) -> int:
    """Delete users, sessions, documents, builds: all but the installed programs."""
    if not confirmed:
        terminal.line(f"This deletes all documents, sessions, users and builds in {settings.home}.")
        if not sys.stdin.isatty() or input("Type `yes` to go on: ").strip() != "yes":
            terminal.line("Nothing was deleted.")
            return 1
    stop_running(settings.home)
    with only_run(settings.home):
        PostgresFiles(settings.home).delete()
        for path in settings.home.iterdir():
            if path.name in (KEPT_BY_RESET, "run.lock"):
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    terminal.line("Deleted. `make run` starts afresh.")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local", description="The whole system on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("up", "stop", "status"):
        commands.add_parser(name)
    commands.add_parser("logs").add_argument("name", nargs="?")
    commands.add_parser("reset").add_argument("--yes", action="store_true")
    options = parser.parse_args()
    terminal = Terminal()
    try:
        settings = LocalSettings.load()
        match options.command:
            case "up":
                return asyncio.run(up(settings, terminal))
            case "stop":
                return stop(settings, terminal)
            case "status":
                return status(settings, terminal)
            case "logs":
                return logs(settings, terminal, options.name)
            case _:
                return reset(settings, terminal, confirmed=options.yes)
    except ValidationError as error:
        for problem in error.errors():
            terminal.error(f"{problem['loc'][0]}: {problem['msg']}")
    except LocalError as problem:
        terminal.error(problem.message)
    return 1


if __name__ == "__main__":
    sys.exit(main())
