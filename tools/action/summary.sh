#!/usr/bin/env bash
# Append a report to the summary of the step: TITLE, the exit CODE if there is one, and the text in
# FILE.
set -euo pipefail

title="$1" code="$2" file="$3"
case "$code" in
  "") verdict="" ;;
  0) verdict=": passed" ;;
  1) verdict=": failed" ;;
  5) verdict=": ended early, because the budget was spent" ;;
  *) verdict=": failed with exit code $code" ;;
esac
{
  echo "### $title$verdict"
  if [ -s "$file" ]; then
    # Indented and not fenced: no line of a report can end the block.
    echo
    sed 's/^/    /' "$file"
    echo
  fi
} >> "$GITHUB_STEP_SUMMARY"
