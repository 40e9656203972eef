"""`screentest mcp`: the mock as tools of a coding agent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..client import world_options
from ..contracts import contract_option
from ..files import input_file

if TYPE_CHECKING:
    from screentest.specs.contracts.registry import Contracts


@click.command("mcp")
@world_options
@contract_option
@click.option(
    "--explored",
    type=input_file(),
    help="A report json:F of `screentest explore`, which the agent can read.",
)
@click.option(
    "--allow-changes",
    is_flag=True,
    help="Let the agent advance clocks, inject faults, and change worlds. Default: it only reads.",
)
def command(
    url: str, world_id: str, contracts: Contracts, *, explored: Path | None, allow_changes: bool
) -> None:
    """Serve the mock's journal and contracts to a coding agent.

    The agent starts this program and speaks the Model Context Protocol with it over standard input
    and output. Needs the extra `mcp`.
    """
    from ..agents.server import serve_tools
    from ..agents.tool import Mock

    serve_tools(Mock(url, world_id, contracts, explored), allow_changes=allow_changes)
