"""The processes of the stack: how each is started and when it is ready."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable

from aiohttp import ClientError, ClientSession, ClientTimeout

from local import aws
from local.commands import base_environment
from local.passwords import Passwords
from local.postgres import PostgresFiles, accepts_logins
from local.settings import ROOT, LocalSettings
from local.supervisor import Part

VENVS = ROOT / ".local" / "venvs"
EMULATED_FOR_GATEWAY = ("DYNAMODB", "SECRETS_MANAGER", "SSM", "EVENTBRIDGE", "SQS", "CLOUDWATCH")


class Parts:
    """Makes the parts of one run."""

    def __init__(self, settings: LocalSettings, passwords: Passwords) -> None:
        self.settings = settings
        self.passwords = passwords
        self.postgres_files = PostgresFiles(settings.home)
        here = {name: value for name, value in _lisa_variables(settings).items() if value}
        packages = f"{ROOT / 'serve' / 'src'}:{ROOT / 'layers' / 'core' / 'src'}"
        self.environment = base_environment() | here | {"PYTHONUNBUFFERED": "1", "PYTHONPATH": packages}

    def postgres(self) -> Part:
        async def ready() -> bool:
            return await asyncio.to_thread(accepts_logins, self.settings, self.passwords)

        return Part(
            name="postgres",
            command=self.postgres_files.command(self.settings.postgres_port),
            environment={"PATH": self.environment["PATH"], "LC_ALL": "C"},
            is_ready=ready,
            stop_signal=signal.SIGINT,  # "fast": ends the connections
            user=self.postgres_files.user,
            folder=self.postgres_files.folder,
        )

    def emulator(self) -> Part:
        settings = self.settings
        return Part(
            name="emulator",
            command=(
                *(VENVS / "emulator" / "bin" / "python", "-m", "local.emulator"),
                *("--port", str(settings.emulator_port), "--state", settings.home / "emulator"),
                *("--runtime", VENVS / "runtime" / "bin" / "python", "--region", settings.region),
                *("--page", settings.page_url, "--function-log", settings.logs / "functions.log"),
                *(["--enforce-iam"] if settings.enforce_iam else []),
            ),
            environment=self.environment,
            is_ready=_answers(f"http://127.0.0.1:{settings.emulator_port}/_ministack/ready"),
            stop_seconds=30,  # it saves its state
        )

    def models(self) -> Part:
        return self._python("models", "local.models.embeddings", "--port", str(self.settings.models_port))

    def llm(self) -> Part:
        return self._python("llm", "local.models.llm", "--port", str(self.settings.llm_port))

    def proxy(self) -> Part:
        async def listening() -> bool:
            _, writer = await asyncio.open_connection("127.0.0.1", self.settings.port)
            writer.close()
            return True

        return Part(
            name="proxy",
            command=(sys.executable, "-m", "local.proxy"),
            environment=self.environment,
            is_ready=listening,
            stop_seconds=5,
        )

    def gateway(self, outputs: dict[str, str]) -> Part:
        settings = self.settings
        environment = {
            "HOST": "127.0.0.1",
            "PORT": str(settings.gateway_port),
            "API_URL": f"http://127.0.0.1:{settings.port}",
            "ALLOWED_NETWORKS": settings.allowed_networks,
            "MODELS_TABLE": outputs["ModelsTable"],
            "API_TOKENS_TABLE": outputs["ApiTokensTable"],
            "LIMITS_TABLE": outputs["LimitsTable"],
            "LEDGER_TABLE": outputs["LedgerTable"],
            "USAGE_QUEUE_URL": outputs["UsageQueueUrl"],
            "AUTH_PARAMETER": outputs["AuthParameter"],
            "MANAGEMENT_KEY_SECRET": outputs["ManagementKeySecret"],
            "ADMIN_GROUP": "admin",
            "USER_GROUP": "",
            "RAG_ADMIN_GROUP": "rag-admin",
            "API_GROUP": "api",
            "DRAIN_SECONDS": "5",
        }
        return Part(
            name="gateway",
            command=(sys.executable, "-m", "gateway"),
            environment=self.environment | environment | self._gateway_aws(),
            is_ready=_answers(f"http://127.0.0.1:{settings.gateway_port}/health"),
        )

    def _gateway_aws(self) -> dict[str, str]:
        """The emulator's address; with LISA_BEDROCK_PROFILE the person's own account, for Bedrock alone."""
        settings = self.settings
        if not settings.bedrock_profile:
            return aws.environment(settings.emulator_url, settings.region)
        emulated = {f"AWS_ENDPOINT_URL_{service}": settings.emulator_url for service in EMULATED_FOR_GATEWAY}
        return emulated | {
            "AWS_PROFILE": settings.bedrock_profile,
            "AWS_REGION": settings.region,
            "AWS_DEFAULT_REGION": settings.region,
            "AWS_REGION_NAME": settings.bedrock_region,  # LiteLLM's name for it
        }

    def _python(self, name: str, module: str, *arguments: str) -> Part:
        port = arguments[-1]
        return Part(
            name=name,
            command=(sys.executable, "-m", module, *arguments),
            environment=self.environment,
            is_ready=_answers(f"http://127.0.0.1:{port}/health"),
            stop_seconds=5,
        )


def _lisa_variables(settings: LocalSettings) -> dict[str, str]:
    """The settings again, for parts that read them (the proxy); without keys."""
    names = ("home", *(name for name in type(settings).model_fields if name.endswith("port")))
    return {f"LISA_{name.upper()}": str(getattr(settings, name)) for name in names}


def _answers(url: str) -> Callable[[], Awaitable[bool]]:
    async def ready() -> bool:
        try:
            async with ClientSession(timeout=ClientTimeout(total=4)) as session, session.get(url) as response:
                return response.status == 200
        except ClientError:
            return False

    return ready
