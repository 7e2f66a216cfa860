"""The page and the functions' artifacts, built only when their sources have changed."""

import shutil
import sys
from pathlib import Path

from local.commands import fingerprint, run
from local.problems import LocalError
from local.settings import ROOT, LocalSettings
from local.terminal import Terminal

FRONTEND = ROOT / "frontend"
MODULES = FRONTEND / "node_modules"  # and the stamps: the page's own folder is published as it is
SAM = ROOT / ".local" / "venvs" / "sam" / "bin" / "sam"
TEMPLATE_SOURCES = ("template.yaml", "functions", "layers", "statemachines", "stacks", "serve")
NO_SOURCES = ("dist", "node_modules", "coverage", "tests", "test-results")
LEAST_NODE = 20
NPM_HINT = "Is the package registry reachable?"


async def build_page(settings: LocalSettings, terminal: Terminal) -> None:
    """`npm ci` when the lock file changed, `npm run build` when a source changed.

    Raises: LocalError when Node is absent or too old, or a step fails.
    """
    log, dist = settings.logs / "page-build.log", FRONTEND / "dist"
    packages = fingerprint([FRONTEND / "package-lock.json"])
    sources = fingerprint([path for path in sorted(FRONTEND.iterdir()) if path.name not in NO_SOURCES])
    if (dist / "index.html").exists() and _stamp(MODULES / ".built") == sources:
        return
    with terminal.stage("Page built"):
        await _check_node(settings)
        if _stamp(MODULES / ".installed") != packages:
            await run("npm", "ci", "--no-audit", "--no-fund", log=log, folder=FRONTEND, hint=NPM_HINT)
            (MODULES / ".installed").write_text(packages)
        vite = MODULES / ".bin" / "vite"  # `npm run build` without its type check, which `make test` does
        await run(vite, "build", log=log, folder=FRONTEND, hint="The page's sources do not build.")
        (MODULES / ".built").write_text(sources)


async def _check_node(settings: LocalSettings) -> None:
    how = f"Install Node {LEAST_NODE} or newer, with npm."
    check = f"process.exit(parseInt(process.versions.node) < {LEAST_NODE} ? 1 : 0)"
    await run("node", "-e", check, log=settings.logs / "page-build.log", hint=how)
    if shutil.which("npm") is None:
        raise LocalError(f"npm is not installed. {how}")


def runtime() -> str:
    """The functions run on this machine's Python."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def build_fingerprint() -> str:
    """What the artifacts are made from."""
    sources = [ROOT / name for name in TEMPLATE_SOURCES if (ROOT / name).exists()]
    return fingerprint([*sources, FRONTEND / "dist"], runtime())


async def build_functions(settings: LocalSettings, terminal: Terminal) -> str:
    """`sam build` for this machine's Python, unless nothing has changed; returns the sources' fingerprint.

    Raises: LocalError with the log's end when it fails.
    """
    wanted, folder = build_fingerprint(), settings.home / "sam"
    if _stamp(folder / ".built") == wanted and (folder / "build" / "template.yaml").exists():
        return wanted
    with terminal.stage("Functions built"):
        (folder / ".built").unlink(missing_ok=True)
        await run(
            SAM,
            "build",
            *("--build-dir", folder / "build", "--cache-dir", folder / "cache"),
            *("--parameter-overrides", f"LambdaRuntime=python{runtime()}"),
            log=settings.logs / "functions-build.log",
            hint="The functions do not build.",
            environment={"LISA_TARGET_PYTHON": runtime(), "SAM_CLI_TELEMETRY": "0"},
        )
        (folder / ".built").write_text(wanted)
    return wanted


def _stamp(file: Path) -> str:
    return file.read_text() if file.exists() else ""
