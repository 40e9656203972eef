"""Environment variables as lines for a shell."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

SHELLS = ("bash", "fish", "powershell", "dotenv")


def export_lines(variables: Mapping[str, str], shell: str = "bash") -> list[str]:
    """One line per variable that sets it in *shell*."""
    forms = {
        "bash": lambda name, value: f"export {name}={shlex.quote(value)}",
        "fish": lambda name, value: f"set -gx {name} {shlex.quote(value)}",
        "powershell": lambda name, value: f"$env:{name} = '{value.replace(chr(39), chr(39) * 2)}'",
        "dotenv": lambda name, value: f"{name}={value}",
    }
    return [forms[shell](name, value) for name, value in variables.items()]
