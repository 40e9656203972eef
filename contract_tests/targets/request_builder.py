"""Building requests: plans of the checks with ids filled in, and a credential."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote, urlencode

from screentest.specs.checks.request_plan import RequestPlan
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.operations import Operation

from .credentials import credential_of, signed
from .needs import UnableError
from .plans import account_in, fill_ids, unfilled
from .samples import encode_form
from .target import Identity, OutgoingRequest


def wire_of_plan(
    contract: Contract,
    operation: Operation,
    plan: RequestPlan,
    ids: Mapping[str, Json],
    who: Identity,
    headers: Mapping[str, str],
) -> OutgoingRequest:
    """The request of *plan*, with the credential of *who*; *headers* override those of both.

    Raises:
        UnableError: an id is missing in *ids*, or *who* has no key for it.
    """
    path = contract.behaviour.prefixes[0] + operation.path
    for name in operation.path_names:
        if name not in ids:
            raise UnableError(f"{operation.id} needs {name}")
        path = path.replace(f"{{{name}}}", quote(str(ids[name]), safe=""))
    body, content_type = _body(operation, plan, ids, who)
    sent = {"content-type": content_type} if content_type is not None else {}
    sent |= {name.lower(): value for name, value in plan.headers.items()}
    query = urlencode(fill_ids(dict(plan.query), ids)) if plan.query else ""
    wire = OutgoingRequest(operation.method, path, query, sent, body)
    wire = signed(wire, credential_of(contract.behaviour, operation, who))
    own = {name.lower(): value for name, value in headers.items()}
    return replace(wire, headers={**wire.headers, **own})


def _body(
    operation: Operation, plan: RequestPlan, ids: Mapping[str, Json], who: Identity
) -> tuple[bytes, str | None]:
    if plan.raw is not None:
        return plan.raw.encode(), plan.type
    if plan.form is not None:
        body, content_type = encode_form(plan.form)
        return body, plan.type or content_type
    if plan.json is not None:
        filled = fill_ids(plan.json, ids)
        missing = next(unfilled(filled), None)
        if missing is not None:
            raise UnableError(f"{operation.id} needs {missing}")
        if not who.account and account_in(filled, "-") != filled:
            raise UnableError(f"{operation.id} needs the account's own name")
        filled = account_in(filled, who.account)
        return json.dumps(filled).encode(), plan.type or "application/json"
    return b"", None
