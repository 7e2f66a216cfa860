#!/bin/sh
# Installs pinned wheels into a layer: install.sh REQUIREMENTS TARGET
#
# For Lambda's Python 3.13 whatever Python runs this; LISA_TARGET_PYTHON and LISA_TARGET_MACHINE (x86_64, arm64) choose
# another. With LISA_TARGET_PYTHON set and LISA_TARGET_MACHINE not, the wheels are for this machine: the laptop's stack.
set -eu

requirements=$1 target=$2
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
python=${LISA_TARGET_PYTHON:-3.13}
machine=${LISA_TARGET_MACHINE:-$(test -n "${LISA_TARGET_PYTHON:-}" || echo x86_64)}
test "$machine" != arm64 || machine=aarch64
mkdir -p "$target"

# sam sets its own PYTHONPATH-like variables; the tools below must not see them
uv=$here/../.venv/bin/uv
if test -x "$uv" || uv=$(command -v uv); then
  set -- pip install --quiet --target "$target" --python-version "$python" --require-hashes --only-binary :all: --requirement "$requirements"
  test -z "$machine" || set -- "$@" --python-platform "$machine-manylinux_2_28"
  exec "$uv" "$@"
fi
set -- --quiet --target "$target" --python-version "$python" --require-hashes --only-binary :all: --no-compile --requirement "$requirements"
for platform in manylinux_2_28 manylinux_2_17 manylinux2014; do
  test -z "$machine" || set -- "$@" --platform "${platform}_$machine"
done
exec "${PYTHON:-python3}" -m pip install --disable-pip-version-check "$@"
