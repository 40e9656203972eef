"""The exit codes, which mean the same for every verb."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class Exit(IntEnum):
    """The exit code of a verb. `screentest run` passes on the code of its command instead."""

    OK = 0
    FOUND = 1
    USAGE = 2
    UNREACHABLE = 3
    INVALID = 4
    BUDGET = 5
    INTERRUPTED = 130


#: Shown by `--help` and in docs/cli.md.
EXIT_CODES: Mapping[Exit, str] = {
    Exit.OK: "ok",
    Exit.FOUND: "a check failed, or there are findings",
    Exit.USAGE: "wrong use: an option, a name or a path; or the mock refused the call",
    Exit.UNREACHABLE: "the mock or the target cannot be reached",
    Exit.INVALID: "a contract, a settings file or an input file is invalid",
    Exit.BUDGET: "the budget was spent before everything was done",
    Exit.INTERRUPTED: "interrupted",
}
