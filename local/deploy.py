"""`sam deploy` of the built template to the emulator, unless it is there already."""

import asyncio
import contextlib
import json
from typing import Any

from botocore.exceptions import ClientError

from local import aws
from local.build import SAM, runtime
from local.commands import run
from local.passwords import Passwords, write_private
from local.postgres import DATABASE, USER
from local.problems import LocalError
from local.settings import LocalSettings
from local.terminal import Terminal

STACK = "lisa"
SAM_SETTINGS = {"SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "0.5"}  # seconds; sam waits 5 by itself
DATABASE_SECRET = "lisa-local-database"
FINISHED = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
UNUSABLE = ("ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS")


class Deployment:
    """The stack in the emulator."""

    def __init__(self, settings: LocalSettings, passwords: Passwords, terminal: Terminal) -> None:
        self.settings = settings
        self.passwords = passwords
        self.terminal = terminal

    def client(self, service: str) -> Any:
        return aws.client(service, self.settings.emulator_url, self.settings.region)

    async def deploy(self, built: str) -> dict[str, str]:
        """Bring the stack to what was built (a fingerprint) and return its outputs.

        Raises: LocalError with the log's end when CloudFormation refuses.
        """
        secret = await asyncio.to_thread(self._database_secret)
        parameters = self._parameters(secret)
        wanted = json.dumps({"built": built, "parameters": parameters}, sort_keys=True)
        stamp = self.settings.home / "sam" / ".deployed"
        outputs = await asyncio.to_thread(self._outputs)
        if outputs is None or not stamp.exists() or stamp.read_text() != wanted:
            with self.terminal.stage("Stack deployed"):
                stamp.unlink(missing_ok=True)
                await self._sam_deploy(parameters)
                outputs = await asyncio.to_thread(self._outputs)
                if outputs is None:
                    raise LocalError("The stack was not deployed.", self.settings.logs / "deploy.log")
                stamp.write_text(wanted)
        write_private(self.settings.stack_file, outputs)
        return outputs

    def _parameters(self, database_secret: str) -> dict[str, str]:
        return {
            "DeployServe": "false",
            "ServeUrl": f"http://127.0.0.1:{self.settings.gateway_port}",
            "CreateNetwork": "false",
            "CreateDatabase": "false",
            "DatabaseSecretArn": database_secret,
            "PublicUrl": f"{self.settings.page_url}/",
            "CognitoEndpoint": self.settings.emulator_url,
            "LambdaRuntime": f"python{runtime()}",
            "ThrottleRate": "10000",
            "ThrottleBurst": "5000",
        }

    async def _sam_deploy(self, parameters: dict[str, str]) -> None:
        await asyncio.to_thread(self._remove_unusable)
        await run(
            SAM,
            "deploy",
            *("--template-file", self.settings.home / "sam" / "build" / "template.yaml"),
            *("--stack-name", STACK, "--region", self.settings.region, "--resolve-s3"),
            *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
            *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"),
            *("--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())),
            log=self.settings.logs / "deploy.log",
            hint="The template was refused by the emulator.",
            environment=aws.environment(self.settings.emulator_url, self.settings.region) | SAM_SETTINGS,
        )

    def _stack(self) -> dict[str, Any] | None:
        with contextlib.suppress(ClientError):
            stacks = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
            return dict(stacks[0]) if stacks else None
        return None

    def _outputs(self) -> dict[str, str] | None:
        stack = self._stack()
        if stack is None or stack["StackStatus"] not in FINISHED:
            return None
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def _remove_unusable(self) -> None:
        """A stack whose creation failed cannot be updated; nothing of value is in it."""
        stack = self._stack()
        if stack and stack["StackStatus"] in UNUSABLE:
            self.client("cloudformation").delete_stack(StackName=STACK)
            self.client("cloudformation").get_waiter("stack_delete_complete").wait(
                StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
            )

    def _database_secret(self) -> str:
        """The ARN of the secret that tells functions how to reach PostgreSQL."""
        content = json.dumps(
            {
                "host": "127.0.0.1",
                "port": self.settings.postgres_port,
                "username": USER,
                "password": self.passwords.database,
                "dbname": DATABASE,
            }
        )
        secrets = self.client("secretsmanager")
        try:
            found = secrets.get_secret_value(SecretId=DATABASE_SECRET)
        except secrets.exceptions.ResourceNotFoundException:
            return str(secrets.create_secret(Name=DATABASE_SECRET, SecretString=content)["ARN"])
        if found["SecretString"] != content:
            secrets.put_secret_value(SecretId=DATABASE_SECRET, SecretString=content)
        return str(found["ARN"])
