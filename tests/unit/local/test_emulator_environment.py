"""What the emulator and its functions see of the host."""

import subprocess
import sys
from pathlib import Path

from local.emulator.environment import emulator_environment, hiding_interpreter
from local.emulator.patches.yaml_asl import as_json

HOST = {"PATH": "/bin", "LC_ALL": "C", "AWS_PROFILE": "work", "AWS_ENDPOINT_URL": "http://x", "HTTPS_PROXY": "http://p"}


def test_the_hosts_aws_settings_stay_behind(tmp_path: Path) -> None:
    seen = emulator_environment(HOST, state=tmp_path, port=4566, region="eu-west-1", iam=True)
    assert (seen["PATH"], seen["LC_ALL"]) == ("/bin", "C")
    assert not {"AWS_PROFILE", "HTTPS_PROXY"} & seen.keys()
    assert seen["AWS_ENDPOINT_URL"] == "http://localhost:4566"
    assert (seen["BIND_HOST"], seen["GATEWAY_PORT"], seen["AUTH"]) == ("127.0.0.1", "4566", "true")


def test_a_function_does_not_see_the_emulators_settings(tmp_path: Path) -> None:
    environment = emulator_environment(HOST, state=tmp_path, port=4566, region="us-east-1", iam=False)
    script = hiding_interpreter(tmp_path, Path(sys.executable))
    shown = subprocess.run(
        [script, "-c", "import os; print(sorted(os.environ))"],
        env={**environment, "PATH": "/usr/bin:/bin", "MODELS_TABLE": "m"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "MODELS_TABLE" in shown
    assert "STATE_DIR" not in shown
    assert "GATEWAY_PORT" not in shown


def test_json_definitions_stay_as_they_are() -> None:
    assert as_json('{"StartAt":  "A"}') == '{"StartAt":  "A"}'
    assert as_json("StartAt: A") == '{"StartAt": "A"}'
