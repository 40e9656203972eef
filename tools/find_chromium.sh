#!/usr/bin/env bash
# Prints the path of an installed Chromium or Chrome; installs Debian's package where that works.
set -euo pipefail

find_it() {
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
    command -v "$name" && return 0
  done
  return 1
}

find_it && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  echo "installing Debian's chromium ..." >&2
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } \
    >&2 || true
  find_it && exit 0
fi
if [ -n "${CI:-}" ]; then
  echo "make test-browser needs Chromium: none is installed, and apt-get cannot install it" >&2
  exit 1
fi
echo ""  # The tests are skipped, and say so.
