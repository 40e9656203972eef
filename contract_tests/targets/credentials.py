"""The credentials of callers, put into requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from screentest.specs.behaviour.behaviour import Behaviour
from screentest.specs.behaviour.sent_keys import text_of, with_value
from screentest.specs.openapi.operations import Operation

from .needs import Need, NeedError
from .target import ANONYMOUS, Identity, OutgoingRequest

#: What a request has at each place of a credential: a header, a query parameter or a cookie.
Shown = Mapping[str, str]


def credential_of(behaviour: Behaviour, operation: Operation, who: Identity) -> Shown:
    """The credential of *who* for *operation*, by its place; empty for an anonymous caller.

    Raises:
        NeedError: *who* has no such credential.
    """
    for names in operation.security_sets if operation.security else ():
        schemes = [behaviour.credentials[it] for it in names]
        keys = [who.keys.get(it.key_kind) for it in schemes]
        if all(keys):
            forms = [(*it.forms[0], key or "") for it, key in zip(schemes, keys, strict=True)]
            return {place: text_of(key, word) for place, word, key in forms}
    if operation.security and who != ANONYMOUS:
        message = f"{operation.id} needs a key that the {who.name} does not have"
        raise NeedError(Need.CREDENTIAL, message=message)
    return {}


def first_credential(behaviour: Behaviour, who: Identity) -> Shown:
    """A credential of *who* that some operation takes; empty without any."""
    for scheme in behaviour.credentials.values():
        key, (place, word) = who.keys.get(scheme.key_kind), scheme.forms[0]
        if key:
            return {place: text_of(key, word)}
    return {}


def signed(wire: OutgoingRequest, credential: Shown) -> OutgoingRequest:
    """*wire* with *credential*."""
    headers, query = dict(wire.headers), wire.query
    for place, value in credential.items():
        headers, query = with_value(place, value, headers, query)
    return replace(wire, headers=headers, query=query)
