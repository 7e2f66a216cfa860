"""Each repair of the emulator is still needed: the pinned ministack has the gap, and the repair closes it.

A test that fails because the gap is gone asks for the deletion of its module in local/emulator/patches/.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
EMULATOR_PYTHON = ROOT / ".local" / "venvs" / "emulator" / "bin" / "python"
RUNTIME_PYTHON = ROOT / ".local" / "venvs" / "runtime" / "bin" / "python"

FUNCTION = """
import io, json, zipfile
from ministack.services import lambda_svc
def function(code, **config):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("code.py", code)
    base = {"FunctionName": "f", "Runtime": "python3.11", "Handler": "code.handler", "Timeout": 20,
            "Version": "$LATEST",
            "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:f", "Environment": {"Variables": {}}}
    return {"config": {**base, **config}, "code_zip": archive.getvalue()}
def invoke(record, event=None):
    return lambda_svc._execute_function_warm(record, event or {}, "request-1")
"""


def in_emulator(tmp_path: Path, code: str, repair: str = "") -> Any:
    """What `code` prints as JSON, run in the emulator's environment with or without a repair installed."""
    state = {"STATE_DIR": str(tmp_path), "S3_DATA_DIR": str(tmp_path / "s3"), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [EMULATOR_PYTHON, "-c", "\n".join((FUNCTION, repair, code))],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "LOG_LEVEL": "ERROR", **state},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def repair_of(module: str, arguments: str = "") -> str:
    return f"from pathlib import Path\nfrom local.emulator.patches import {module}\n{module}.install({arguments})"


def test_state_machines_in_yaml(tmp_path: Path) -> None:
    code = """
from ministack.services.cloudformation import provisioners
definition = provisioners._sfn_definition({"DefinitionString": "StartAt: A\\nStates: {A: {Type: Pass, End: true}}"})
print(json.dumps(definition))
"""
    assert not in_emulator(tmp_path, code).startswith("{")
    assert json.loads(in_emulator(tmp_path, code, repair_of("yaml_asl")))["StartAt"] == "A"


def test_error_type_is_the_exceptions_class(tmp_path: Path) -> None:
    code = """
record = function("class TooBigError(Exception): ...\\ndef handler(e, c): raise TooBigError('9 MB')")
print(json.dumps(invoke(record)["body"]))
"""
    assert in_emulator(tmp_path, code)["errorType"] == "Runtime.HandlerError"
    repaired = in_emulator(tmp_path, code, repair_of("handler_errors"))
    assert (repaired["errorType"], repaired["errorMessage"]) == ("TooBigError", "9 MB")
    assert "in handler" in repaired["stackTrace"][0]


def test_a_crash_hides_its_text(tmp_path: Path) -> None:
    code = """
from ministack.services import apigateway_v1
answer = apigateway_v1._lambda_proxy_response({"error": True, "body": {"errorMessage": "password=1"}})
print(json.dumps(answer))
"""
    assert "password" in json.dumps(in_emulator(tmp_path, code))
    assert in_emulator(tmp_path, code, repair_of("crashes")) == [None, "Internal server error"]


def test_gateway_responses_are_imported(tmp_path: Path) -> None:
    code = """
from ministack.services import apigateway_v1
spec = {"info": {"title": "t"}, "paths": {}, "x-amazon-apigateway-gateway-responses": {
    "UNAUTHORIZED": {"statusCode": 401, "responseTemplates": {"application/json": "{}"}}}}
api = apigateway_v1._import_rest_api(spec)
print(json.dumps(apigateway_v1._gateway_responses.get(api) or {}))
"""
    assert in_emulator(tmp_path, code) == {}
    assert in_emulator(tmp_path, code, repair_of("gateway_responses"))["UNAUTHORIZED"]["statusCode"] == "401"


def test_an_encoded_slash_is_part_of_a_name(tmp_path: Path) -> None:
    code = """
import asyncio
from ministack import app
from ministack.services import apigateway_v1
async def execute(api_id, stage, method, path, *more):
    _, parameters = apigateway_v1._match_resource_tree(api_id, path.strip("/").split("/"))
    return [path, parameters]
apigateway_v1.handle_execute = execute
api = apigateway_v1._import_rest_api({"info": {"title": "t"}, "paths": {"/limits/{name}": {"get": {}}}})
start = f"/_aws/execute-api/{api}/prod/limits/"
request = app._handle_execute_api_request(
    "localhost", start + "/staff a", "GET", {}, b"", {}, raw_path=start + "%2Fstaff%20a")
print(json.dumps(asyncio.run(request)))
"""
    assert in_emulator(tmp_path, code)[0] == "/limits//staff a"
    repaired = in_emulator(tmp_path, code, repair_of("encoded_paths"))
    assert repaired == ["/limits/%2Fstaff%20a", {"name": "%2Fstaff%20a"}]


def test_the_loopback_is_secure_transport(tmp_path: Path) -> None:
    code = """
from ministack import app
from ministack.core import iam_evaluator
app.pin_request_origin("127.0.0.1", False)
print(json.dumps(iam_evaluator._request_origin.get()[1]))
"""
    assert in_emulator(tmp_path, code) is False
    assert in_emulator(tmp_path, code, repair_of("secure_transport")) is True


def test_no_wait_for_logs_that_nobody_wrote(tmp_path: Path) -> None:
    code = """
import time
record = function("def handler(e, c): return 1")
invoke(record); start = time.monotonic(); [invoke(record) for _ in range(10)]
print(json.dumps(time.monotonic() - start))
"""
    assert in_emulator(tmp_path, code) > 3 * in_emulator(tmp_path, code, repair_of("log_wait"))


def test_functions_run_in_the_runtimes_environment(tmp_path: Path) -> None:
    code = """
record = function("import importlib.util\\ndef handler(e, c): return importlib.util.find_spec('ministack') is not None")
print(json.dumps(invoke(record)["body"]))
"""
    assert in_emulator(tmp_path, code) is True
    assert in_emulator(tmp_path, code, repair_of("interpreter", f"Path({str(RUNTIME_PYTHON)!r})")) is False


def test_an_archive_is_unpacked_once(tmp_path: Path) -> None:
    code = """
record = function("import os\\ndef handler(e, c): return os.path.realpath(os.getcwd())")
folders = set()
for name in "gh":
    named = {"FunctionName": name, "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:" + name}
    where = invoke({**record, "config": {**record["config"], **named}})
    folders.add(where["body"])
print(json.dumps(len(folders)))
"""
    assert in_emulator(tmp_path, code) == 2
    assert in_emulator(tmp_path, code, repair_of("archives", f"Path({str(tmp_path / 'unpacked')!r})")) == 1


@pytest.mark.parametrize(("limit", "processes"), [(2, 2), (3, 3)])
def test_workers_of_a_function_are_limited(tmp_path: Path, limit: int, processes: int) -> None:
    code = """
from concurrent.futures import ThreadPoolExecutor
record = function("import os, time\\ndef handler(e, c): time.sleep(0.3); return os.getpid()")
with ThreadPoolExecutor(8) as pool:
    print(json.dumps(len({answer["body"] for answer in pool.map(lambda _: invoke(record), range(8))})))
"""
    assert in_emulator(tmp_path, code) > processes
    assert in_emulator(tmp_path, code, repair_of("worker_limit", str(limit))) == processes
