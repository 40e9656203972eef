#!/usr/bin/env bash
# Lints the six OpenAPI documents with Redocly's recommended-strict rules, examples included.
# The exceptions to these rules, with their reasons, are in specs/redocly.yaml.
set -euo pipefail
cd "${BASH_SOURCE[0]%/*}/.."

if ! command -v npm >/dev/null; then
  echo "npm is not installed, so Redocly's rules were not checked"
  [[ -z "${CI:-}" ]] && exit 0
  echo "with CI set that is a failure: install Node.js 20 or newer" >&2
  exit 1
fi
make --no-print-directory .cache/node/.installed

# Other documents than the six may be named as arguments.
[[ $# -gt 0 ]] || set -- specs/*/openapi.yaml

# Linting is local work: no usage reports and no look-up of newer versions.
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
exec .cache/node/node_modules/.bin/redocly lint --format=stylish \
  --config specs/redocly.yaml --extends=recommended-strict "$@"
