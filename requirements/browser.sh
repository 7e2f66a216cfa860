#!/usr/bin/env bash
# The browser of the browser tests: Debian's Chromium, installed when it is absent and may be.
set -euo pipefail
command -v chromium >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing chromium …"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null
else
  echo "The browser tests need Chromium. Install it, e.g. \`sudo apt-get install chromium\`, and run \`make test\` again." >&2
  exit 1
fi
