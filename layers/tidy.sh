#!/bin/sh
# Removes from a layer what no function needs: caches, scripts, tests and type stubs of libraries.
set -eu
cd "$1"
rm -rf bin .lock
find . -type d \( -name __pycache__ -o -name tests -o -name test \) -prune -exec rm -rf {} +
find . -type f \( -name '*.pyi' -o -name '*.pyc' -o -name '*.c' -o -name '*.h' -o -name '*.pxd' -o -name '*.pyx' \) -delete
