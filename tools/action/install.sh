#!/usr/bin/env bash
# Install $PACKAGE into an environment of its own, whose programs later steps find on the PATH.
set -euo pipefail

folder="$RUNNER_TEMP/screentest-venv"
for python in python3 python3.14 python3.13 python3.12 python3.11 python; do
  if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    "$python" -m venv "$folder"
    "$folder/bin/python" -m pip --disable-pip-version-check install --quiet "$PACKAGE"
    # Not the whole folder: it contains a `python` and a `pip`, which would hide those of the job.
    mkdir -p "$folder/path"
    ln -sf ../bin/screentest "$folder/path/screentest"
    echo "$folder/path" >> "$GITHUB_PATH"
    exit 0
  fi
done
echo "::error::screentest needs Python 3.11 or newer; add actions/setup-python before this step"
exit 2
