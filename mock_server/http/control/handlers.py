"""The handlers of calls about worlds, which the page and the pytest plugin make as well."""

from __future__ import annotations

from collections.abc import Mapping

from screentest.specs.contracts.controls import load_controls
from screentest.specs.json_types import Json

from ...engine.worlds import Worlds
from . import history, jobs, snapshots, webhooks
from . import worlds as worlds_and_accounts
from .request import Handler, read_call

HANDLERS: Mapping[str, Handler] = {
    **worlds_and_accounts.OPERATIONS,
    **jobs.OPERATIONS,
    **history.OPERATIONS,
    **webhooks.OPERATIONS,
    **snapshots.OPERATIONS,
}


def call_control(
    worlds: Worlds,
    operation: str,
    path: Mapping[str, str],
    *,
    query: str = "",
    body: bytes = b"",
    origin: str = "",
) -> Json:
    """The answer of the control API to *operation*, read and judged as over HTTP.

    Raises:
        MockError: the control API refuses the call; the message names the allowed values.
    """
    asked = load_controls().operations[operation]
    call = read_call(worlds, asked, path, query=query, body=body, origin=origin)
    return HANDLERS[operation](call)
