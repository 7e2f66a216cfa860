#!/usr/bin/env bash
# Compiles every requirements file, with hashes and without naming an index: `make lock`.
set -euo pipefail
cd "$(dirname "$0")/.."
for source in layers/core/requirements.in layers/parsing/requirements.in serve/requirements.in requirements/{app,emulator,runtime,sam,bootstrap,litellm-proxy}.in; do
  .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
    "$source" --output-file "${source%.in}.txt"
done
