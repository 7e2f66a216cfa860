"""What is compared: each a process of its own on the measured core, in front of the same upstream."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gateway.cloud import CREDENTIAL, Cloud
from benchmarks.gateway.figures import DIRECT, GATEWAY, LITELLM, RELAY
from benchmarks.gateway.processes import ROOT, Process, answers, unused_port

LITELLM_VENV = ROOT / ".local" / "venvs" / "litellm-proxy"
LITELLM_LOCK = ROOT / "requirements" / "litellm-proxy.txt"
MASTER_KEY = "sk-bench-0123456789"
SOURCES = ("serve/src", "layers/core/src", ".")
PYTHONPATH = {"PYTHONPATH": ":".join(str(ROOT / part) for part in SOURCES), "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True, slots=True)
class Subject:
    """`process` is None for the upstream itself. A behaviour of the upstream is a model, and a part of its path."""

    name: str
    port: int
    credential: str
    process: Process | None = None

    def path(self, behaviour: str) -> str:
        has_models = self.name in (GATEWAY, LITELLM)
        return "/v1/chat/completions" if has_models else f"/{behaviour}/v1/chat/completions"


def start_upstream(folder: Path, core: int) -> tuple[Subject, Process]:
    port = unused_port()
    log = folder / "upstream.log"
    process = Process(
        f"{sys.executable} -m benchmarks.gateway.upstream {port}",
        core,
        lambda: log.exists() and b"ready" in log.read_bytes(),
        log,
        PYTHONPATH,
    )
    return Subject(DIRECT, port, "none"), process


def start_gateway(folder: Path, core: int, cloud: Cloud, module: str = "gateway", **environment: str) -> Subject:
    """As the image runs it, with credentials, groups, limits and usage on."""
    port = unused_port()
    process = Process(
        f"{sys.executable} -m {module}",
        core,
        answers(port, "/health/readiness"),
        folder / "gateway.log",
        cloud.environment | PYTHONPATH | {"PORT": str(port), "HOST": "127.0.0.1"} | environment,
    )
    return Subject(GATEWAY, port, CREDENTIAL, process)


def start_relay(folder: Path, core: int, upstream: Subject) -> Subject:
    port = unused_port()
    process = Process(
        f"{sys.executable} -m benchmarks.gateway.bare_relay {port} http://127.0.0.1:{upstream.port}",
        core,
        answers(port, "/"),
        folder / "relay.log",
        PYTHONPATH,
    )
    return Subject(RELAY, port, "none", process)


def install_litellm() -> None:
    """LiteLLM's proxy in a virtual environment of its own, from the locked list, when that has changed."""
    stamp = LITELLM_VENV / ".installed"
    if not stamp.exists() or stamp.stat().st_mtime < LITELLM_LOCK.stat().st_mtime:
        print("Installing LiteLLM's proxy (.local/venvs/litellm-proxy) …", flush=True)
        subprocess.run([ROOT / "requirements" / "install.sh", "litellm-proxy", LITELLM_VENV], cwd=ROOT, check=True)
        stamp.touch()


def start_litellm(folder: Path, core: int, upstream: Subject, behaviours: list[str]) -> Subject:
    """One worker, production mode, a master key, no database and no log of calls."""
    port = unused_port()
    configuration = folder / "litellm.yaml"
    models = "".join(
        f"  - model_name: {name}\n    litellm_params: {{model: openai/{name}, api_key: sk-provider, "
        f"api_base: 'http://127.0.0.1:{upstream.port}/{name}/v1'}}\n"
        for name in behaviours
    )
    configuration.write_text(f"model_list:\n{models}general_settings:\n  master_key: {MASTER_KEY}\n")
    process = Process(
        f"{LITELLM_VENV}/bin/litellm --config {configuration} --host 127.0.0.1 --port {port} --num_workers 1"
        " --telemetry False",
        core,
        answers(port, "/health/readiness"),
        folder / "litellm.log",
        {
            "LITELLM_MODE": "PRODUCTION",
            "LITELLM_LOG": "ERROR",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
            "LITELLM_LOCAL_BLOG_POSTS": "True",
            "PYTHONPATH": "",
        },
    )
    return Subject(LITELLM, port, MASTER_KEY, process)
