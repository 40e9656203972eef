#!/usr/bin/env bash
# Lints every contract under specs/ with Redocly's recommended-strict rules, examples included.
# REDOCLY names another way to start the linter, for instance a copy that is installed already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Linting is local work: no usage reports and no look-up of newer versions.
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true

read -r -a linter <<< "${REDOCLY:-npx --yes @redocly/cli@2.77.0}"
rules=(--config specs/redocly.yaml --extends=recommended-strict)
exec "${linter[@]}" lint "${rules[@]}" specs/*/openapi.yaml
