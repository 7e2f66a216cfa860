"""From `make run` (downloads done, no state) to a cited answer over a freshly dropped file: `make first-answer`.

Starts a stack of its own on other ports, drops a file that nobody has seen, asks about it, and prints the seconds.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import boto3
import requests

ROOT = Path(__file__).parent.parent
PORTS = {
    "LISA_PORT": "8680",
    "LISA_EMULATOR_PORT": "4680",
    "LISA_POSTGRES_PORT": "5680",
    "LISA_GATEWAY_PORT": "8681",
    "LISA_MODELS_PORT": "8682",
    "LISA_LLM_PORT": "8683",
}
LIMIT_SECONDS = 300
FACT = "The lighthouse of Kråkvik was painted turquoise in 1931."


def until(probe: Any, process: subprocess.Popen[bytes]) -> Any:
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit("the stack stopped; see its output above")
        if found := probe():
            return found
        time.sleep(0.2)
    sys.exit(f"not ready within {LIMIT_SECONDS} s")


def answer(outputs: dict[str, Any]) -> list[dict[str, Any]]:
    reply = requests.post(
        f"{outputs['serve_url']}/v1/chat/completions",
        headers={"Authorization": f"Bearer {outputs['api_token']}"},
        json={
            "model": "extractive",
            "messages": [{"role": "user", "content": "What colour is the lighthouse of Kråkvik?"}],
            "lisa": {"repositoryId": "demo", "topK": 3},
        },
        timeout=30,
    )
    body = reply.json() if reply.ok else {}
    text = body.get("choices", [{}])[0].get("message", {}).get("content") or ""
    return body["lisa"]["citations"] if "turquoise" in text else []


def main() -> None:
    (ROOT / "frontend" / "node_modules" / ".built").unlink(missing_ok=True)  # only downloads are done
    with tempfile.TemporaryDirectory(prefix="lisa-first-answer-") as home:
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "local", "up"], cwd=ROOT, env={**os.environ, **PORTS, "LISA_HOME": home}
        )
        try:
            path = Path(home) / "outputs.json"
            outputs = until(lambda: json.loads(path.read_text()) if path.exists() else None, process)
            ready = time.monotonic()
            s3 = boto3.client(
                "s3",
                endpoint_url=outputs["aws_endpoint_url"],
                region_name=outputs["region"],
                aws_access_key_id="test",
                aws_secret_access_key="test",
            )
            s3.put_object(
                Bucket=outputs["documents_bucket"], Key="demo/minilm-l6-v2/lighthouse.txt", Body=FACT.encode()
            )
            citations = until(lambda: answer(outputs), process)
            done = time.monotonic()
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
    print(f"stack ready        {ready - started:5.1f} s")
    print(f"file to answer     {done - ready:5.1f} s   (cites {citations[0]['documentName']})")
    print(f"first cited answer {done - started:5.1f} s   (goal: 60 s or less on 2 cores)")


if __name__ == "__main__":
    main()
