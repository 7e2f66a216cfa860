"""`make run`: everything is started, built, deployed and seeded, as much as possible at the same time."""

import asyncio
import json
import signal
import time
from typing import Any

from aiohttp import ClientError
from botocore.exceptions import BotoCoreError

from local.build import build_functions, build_page
from local.deploy import Deployment
from local.parts import Parts
from local.passwords import Passwords, write_private
from local.people import id_token, seed_people
from local.ports import check_ports
from local.problems import LocalError, tail
from local.run_lock import only_run
from local.seed import EMBEDDING_MODEL, REPOSITORY, Demo, session
from local.settings import LocalSettings
from local.supervisor import Supervisor
from local.terminal import BOLD, Terminal

# In the order in which the demo meets them; one worker each, about 55 MB.
WARMED = (
    *("ModelsFunction", "RegisterModelFunction", "RepositoriesFunction", "CreateSchemaFunction", "DocumentsFunction"),
    *("OnObjectChangeFunction", "ParseDocumentFunction", "EmbedChunksFunction", "IndexDocumentFunction"),
    *("RetrievalFunction", "SessionsFunction", "SiteFunction", "ConfigurationFunction"),
)


async def up(settings: LocalSettings, terminal: Terminal) -> int:
    """Run until a signal; returns the exit code."""
    with only_run(settings.home):
        check_ports(settings)
        run = Run(settings, terminal)
        this = asyncio.current_task()
        assert this is not None
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(name, run.leave, this)
        try:
            await run.start()
            run.banner()
            await asyncio.Event().wait()
            return 0
        except asyncio.CancelledError:
            terminal.line("\nStopping …")
            return 0
        except (LocalError, ExceptionGroup) as problem:
            _report(terminal, problem)
            return 1
        finally:
            await asyncio.shield(asyncio.ensure_future(run.supervisor.stop()))
            terminal.line("Stopped. The data are kept; `make reset` deletes them.")


class Run:
    """One run of the whole stack."""

    def __init__(self, settings: LocalSettings, terminal: Terminal) -> None:
        self.settings = settings
        self.terminal = terminal
        self.passwords = Passwords.load(settings.home)
        self.supervisor = Supervisor(settings.logs, terminal)
        self.parts = Parts(settings, self.passwords)
        self.deployment = Deployment(settings, self.passwords, terminal)
        self.outputs: dict[str, str] = {}
        self.api_token = ""
        self._leaving = False

    def leave(self, task: "asyncio.Task[Any]") -> None:
        """Called by a signal; a second one changes nothing, the stopping is under way."""
        if not self._leaving:
            self._leaving = True
            task.cancel()

    async def start(self) -> None:
        """Bring everything up, and write outputs.json.

        Raises: LocalError (in a group) of the stage that failed first.
        """
        self.terminal.line(f"LISA on this machine ({self.settings.home}):")
        async with asyncio.TaskGroup() as group:
            postgres = group.create_task(self._postgres())
            models = group.create_task(self._models())
            emulator = group.create_task(self._part("Emulator ready", self.parts.emulator()))
            proxy = group.create_task(self._part("Proxy ready", self.parts.proxy()))
            built = group.create_task(self._build())
            group.create_task(self._deploy_and_seed(postgres, models, emulator, proxy, built))
        self._write_outputs()

    async def _part(self, title: str, part: Any) -> None:
        with self.terminal.stage(title):
            await self.supervisor.start(part)

    async def _postgres(self) -> None:
        with self.terminal.stage("PostgreSQL ready"):
            await asyncio.to_thread(self.parts.postgres_files.prepare, self.passwords.database)
            await self.supervisor.start(self.parts.postgres())

    async def _models(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._part("Embedding and extractive models ready", self.parts.models()))
            if self.settings.llm:
                group.create_task(self._part("Small language model ready", self.parts.llm()))

    async def _build(self) -> str:
        await build_page(self.settings, self.terminal)
        return await build_functions(self.settings, self.terminal)

    async def _deploy_and_seed(
        self,
        postgres: "asyncio.Task[None]",
        models: "asyncio.Task[None]",
        emulator: "asyncio.Task[None]",
        proxy: "asyncio.Task[None]",
        built: "asyncio.Task[str]",
    ) -> None:
        await emulator
        self.outputs = await self.deployment.deploy(await built)
        await asyncio.gather(self._part("Gateway ready", self.parts.gateway(self.outputs)), proxy)
        async with session() as http:
            await self._emulator(http, f"warm?{','.join(WARMED)}")  # what the demo needs next, while it is made
            with self.terminal.stage("People and API token ready"):
                await self._people(http)
            demo = Demo(self.settings, self.api_token, http)
            if demo.is_made(self.outputs):
                await asyncio.gather(postgres, models)
                return
            with self.terminal.stage("Models registered"):
                await demo.models()
            await asyncio.gather(postgres, models)
            with self.terminal.stage("Demo repository made"):
                await demo.repository()
            with self.terminal.stage("Sample documents indexed"):
                await demo.documents(self.deployment.client("s3"), self.outputs["DocumentsBucket"])
            demo.set_made(self.outputs)
            await self._emulator(http, "save")  # it is on disk before anybody relies on it

    async def _people(self, http: Any) -> None:
        """The two accounts, and an API token of the administrator's."""
        cognito = self.deployment.client("cognito-idp")
        await asyncio.to_thread(seed_people, cognito, self.outputs["UserPoolId"], self.passwords)
        self.api_token = self.passwords.api_token
        if not await Demo(self.settings, self.api_token, http).is_accepted():
            admin = "admin", self.passwords.admin
            credential = await asyncio.to_thread(id_token, cognito, self.outputs["ClientId"], *admin)
            self.api_token = await Demo(self.settings, credential, http).api_token()
            self.passwords.model_copy(update={"api_token": self.api_token}).save(self.settings.home)

    async def _emulator(self, http: Any, what: str) -> None:
        async with http.post(f"{self.settings.emulator_url}/_lisa/{what}") as answer:
            answer.raise_for_status()

    def _write_outputs(self) -> None:
        settings, outputs = self.settings, self.outputs
        write_private(
            settings.outputs_file,
            {
                "console_url": f"{settings.page_url}/",
                "api_url": settings.page_url,
                "serve_url": settings.page_url,
                "aws_endpoint_url": settings.emulator_url,
                "region": settings.region,
                "documents_bucket": outputs["DocumentsBucket"],
                "usage_queue_url": outputs["UsageQueueUrl"],
                "oidc_authority": outputs["OidcAuthority"],
                "client_id": outputs["ClientId"],
                "user": {"username": "user", "password": self.passwords.user},
                "admin": {"username": "admin", "password": self.passwords.admin},
                "api_token": self.api_token,
                "management_key_secret": outputs["ManagementKeySecret"],
                "repository_id": REPOSITORY,
                "embedding_model_id": EMBEDDING_MODEL,
                "stack": outputs,
            },
        )
        times = {"total_seconds": round(self.terminal.total(), 1), "stages": self.terminal.times}
        (settings.home / "timings.json").write_text(
            json.dumps({"at": time.strftime("%Y-%m-%dT%H:%M:%S%z"), **times}, indent=2) + "\n"
        )

    def banner(self) -> None:
        """What a person needs next."""
        settings, terminal = self.settings, self.terminal
        terminal.line(
            f"""
  {terminal.paint(BOLD, "Page")}     {settings.page_url}/
  user     {self.passwords.user}
  admin    {self.passwords.admin}
  {terminal.paint(BOLD, "API")}      {settings.page_url}   ·   OpenAI SDK: {settings.page_url}/v1
  AWS      {settings.emulator_url}   ·   aws --endpoint-url {settings.emulator_url} s3 ls
  all of it, with an API token: {settings.outputs_file}

  Ready in {terminal.total():.1f} s. Ctrl-C stops it; `make logs`, `make status` in another terminal.
"""
        )


def _report(terminal: Terminal, problem: BaseException) -> None:
    while isinstance(problem, ExceptionGroup):
        problem = next((one for one in problem.exceptions if _is_known(one)), problem.exceptions[0])
    if isinstance(problem, (ClientError, BotoCoreError)):
        problem = LocalError(f"A part went away while the demo was made ({problem}). `make logs` tells; try again.")
    if not isinstance(problem, LocalError):
        raise problem  # a mistake of ours: with its traceback
    terminal.error(problem.message)
    if problem.log:
        terminal.line(f"\nThe end of {problem.log}:\n{tail(problem.log)}\n")


def _is_known(problem: BaseException) -> bool:
    if isinstance(problem, ExceptionGroup):
        return any(map(_is_known, problem.exceptions))
    return isinstance(problem, LocalError)
