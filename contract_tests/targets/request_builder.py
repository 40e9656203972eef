"""Building requests: plans of the checks with ids filled in, and a credential."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from screentest.specs.behaviour.behaviour import Behaviour
from screentest.specs.checks.request_plan import RequestPlan
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.operations import Operation

from .needs import Need, NeedError, UnableError
from .plans import account_in, fill_ids, unfilled
from .samples import encode_form
from .target import ANONYMOUS, Identity, OutgoingRequest


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
    for parameter in operation.parameters:
        if parameter.place == "path":
            if parameter.name not in ids:
                raise UnableError(f"{operation.id} needs {parameter.name}")
            value = quote(str(ids[parameter.name]), safe="")
            path = path.replace(f"{{{parameter.name}}}", value)
    body, content_type = _body(operation, plan, ids, who)
    sent = dict(credential_header(contract.behaviour, operation, who))
    if content_type is not None:
        sent["content-type"] = content_type
    sent |= {name.lower(): value for name, value in {**plan.headers, **headers}.items()}
    query = urlencode(fill_ids(dict(plan.query), ids)) if plan.query else ""
    return OutgoingRequest(operation.method, path, query, sent, body)


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


def credential_header(
    behaviour: Behaviour, operation: Operation, who: Identity
) -> Mapping[str, str]:
    """The credential header of *who* for *operation*; empty for an anonymous caller.

    Raises:
        NeedError: *who* has no such credential.
    """
    for scheme in operation.security:
        known = behaviour.credentials[scheme]
        key = who.keys.get(known.key_kind)
        if key:
            header, word = known.forms[0]
            return {header: f"{word} {key}".strip()}
    if operation.security and who != ANONYMOUS:
        message = f"{operation.id} needs a key that the {who.name} does not have"
        raise NeedError(Need.CREDENTIAL, message=message)
    return {}
