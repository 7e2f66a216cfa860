"""`make sam-local`: every sample of events/invoke in a container, with `sam local invoke`, against the running stack.

Needs a Docker-compatible engine and a stack that runs (`make run`). A function's environment is that of the deployed
one; the only addition, the emulator's address, goes into a copy of the built template.
"""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from local import aws
from local.build import SAM, runtime
from local.commands import base_environment
from local.container_relay import DEFAULT_ENGINE, bridge_address, relay
from local.deploy import STACK
from local.settings import ROOT, LocalSettings

SAMPLES = ROOT / "events" / "invoke"
SCRATCH_BUCKET = "lisa-sam-local-site"  # the samples replace and remove a page: not the running one
AT_ONCE = 2
INVOKE_SECONDS = 300
# Its 20 s for a container to answer are too few where two start at once on a busy laptop.
SAM_SETTINGS = {"SAM_CLI_TELEMETRY": "0", "SAM_CLI_CONTAINER_CONNECTION_TIMEOUT": "120"}
# A function that cannot run. Others are answers: rows that are not there, PostgreSQL or Serve out of reach.
NOT_OURS = ("ImportModuleError", "SettingsError", "ValidationError", "KeyError", "TypeError", "AttributeError")


class Containers:
    """`sam local invoke` of one built stack."""

    def __init__(self, settings: LocalSettings, aws_url: str) -> None:
        self.settings = settings
        self.aws_url = aws_url
        self.build = settings.home / "sam" / "build"
        self.folder = settings.home / "sam-local"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.environment = base_environment() | aws.environment(settings.emulator_url, settings.region)
        self.template = self._template()
        self.variables = self._variables()

    def _template(self) -> Path:
        """The built template, its functions told where AWS is."""
        template = yaml.safe_load((self.build / "template.yaml").read_text())
        template["Globals"]["Function"]["Environment"]["Variables"]["AWS_ENDPOINT_URL"] = self.aws_url
        path = self.build / "sam-local.yaml"  # beside the artifacts, to which its paths are relative
        path.write_text(yaml.safe_dump(template, sort_keys=False))
        return path

    def _variables(self) -> Path:
        """The environment of every deployed function, in the form that --env-vars takes."""
        stack = aws.client("cloudformation", self.settings.emulator_url, self.settings.region)
        functions = aws.client("lambda", self.settings.emulator_url, self.settings.region)
        variables: dict[str, Any] = {}
        for page in stack.get_paginator("list_stack_resources").paginate(StackName=STACK):
            for resource in page["StackResourceSummaries"]:
                if resource["ResourceType"] == "AWS::Lambda::Function":
                    found = functions.get_function_configuration(FunctionName=resource["PhysicalResourceId"])
                    own = found.get("Environment", {}).get("Variables", {})
                    variables[resource["LogicalResourceId"]] = own | {"AWS_ENDPOINT_URL": self.aws_url}
        storage = aws.client("s3", self.settings.emulator_url, self.settings.region)
        storage.create_bucket(Bucket=SCRATCH_BUCKET)
        variables["PublishSiteFunction"]["SITE_BUCKET"] = SCRATCH_BUCKET
        path = self.folder / "environment.json"
        path.write_text(json.dumps(variables))
        return path

    def invoke(self, sample: Path) -> tuple[Path, str]:
        """The sample and what is wrong with the function's answer ("" when nothing is)."""
        done = subprocess.run(
            [
                SAM,
                "local",
                "invoke",
                sample.parent.name,
                *("--event", sample, "--template", self.template, "--env-vars", self.variables),
                *("--parameter-overrides", f"LambdaRuntime=python{runtime()}"),
                *("--skip-pull-image", "--container-host-interface", "127.0.0.1"),
            ],
            cwd=ROOT,
            env=self.environment | SAM_SETTINGS | docker(),
            capture_output=True,
            text=True,
            timeout=INVOKE_SECONDS,
            check=False,
        )
        lines = done.stdout.strip().splitlines()
        try:
            answer = json.loads(lines[-1][lines[-1].index("{") :] if "{" in lines[-1] else lines[-1])
        except (ValueError, IndexError):
            return sample, done.stderr[-1500:]
        if isinstance(answer, dict):
            kind = str(answer.get("errorType", ""))
            if kind.rpartition(".")[2] in NOT_OURS or answer.get("statusCode") == 500:
                return sample, json.dumps(answer)[:1500]
        return sample, ""


def docker() -> dict[str, str]:
    """How the engine is reached, when that is not the default socket."""
    return {"DOCKER_HOST": os.environ["DOCKER_HOST"]} if "DOCKER_HOST" in os.environ else {}


def main() -> int:
    samples = sorted(SAMPLES.glob("*/*.json"))
    settings = LocalSettings.load()
    broken = 0
    engine = docker().get("DOCKER_HOST", DEFAULT_ENGINE)
    with relay(bridge_address(engine), settings.emulator_port) as url, ThreadPoolExecutor(AT_ONCE) as pool:
        for sample, problem in pool.map(Containers(settings, url).invoke, samples):
            print(f"{'FAILED' if problem else 'ok    '} {sample.relative_to(SAMPLES)}", flush=True)
            if problem:
                broken += 1
                print(f"       {problem}", flush=True)
    print(f"{len(samples) - broken} passed, {broken} failed")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
