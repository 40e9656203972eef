"""Mistakes in a behaviour file that its schema cannot see: what is missing, and what is misspelt.

A contract with none of these is answered by its provider's own words; one with some is answered by
a 500 that names the contract.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..behaviour.behaviour import Behaviour
from ..behaviour.forms import PLACE, WORDS
from ..contracts.contract import Contract
from ..errors import no_such
from .template_lint import problems_of_templates


def problems_of_behaviour(contract: Contract) -> Iterator[str]:
    """What is wrong with the behaviour file of *contract*, each with its place."""
    yield from _bad_forms(contract.behaviour)
    yield from problems_of_templates(contract)
    yield from _missing_examples(contract)
    yield from _open_but_paid(contract)
    yield from _bad_parents(contract.behaviour)


def _bad_forms(rules: Behaviour) -> Iterator[str]:
    forms = {f"resources/{name}/id": it.id_form for name, it in rules.resources.items()}
    forms |= {f"credentials/{name}/form": it.key_form for name, it in rules.credentials.items()}
    if rules.webhooks is not None:
        forms["webhooks/id"] = rules.webhooks.id_form
        forms["webhooks/secret_form"] = rules.webhooks.secret_form
    for at, form in forms.items():
        words = [match[1] for match in PLACE.finditer(form)]
        for word in words:
            if word not in WORDS:
                yield f"at {at}: {form!r} has {no_such('word', word, WORDS)}"
        if not words:
            yield f"at {at}: {form!r} has no place such as {{base62:12}}, so all would be the same"


def _missing_examples(contract: Contract) -> Iterator[str]:
    """Operations that answer the documented example of a reply that is not documented."""
    if contract.has_functions:
        return  # they answer instead
    for id_, rules in contract.behaviour.operations.items():
        status = rules.status.source if rules.status is not None else None
        if rules.does not in {None, "example"} or not isinstance(status, int):
            continue
        if contract.operations[id_].reply(status) is None:
            yield f"at operations/{id_}: openapi.yaml has no reply {status} for it"


def _open_but_paid(contract: Contract) -> Iterator[str]:
    """Operations that need an account, and take no credential that would name one."""
    for id_, rules in contract.behaviour.operations.items():
        if not contract.operations[id_].security and (rules.price or rules.starts):
            yield f"at operations/{id_}: no credential, so no account for its price or job"


def _bad_parents(rules: Behaviour) -> Iterator[str]:
    for name, kind in rules.resources.items():
        if kind.parent is not None and kind.parent not in rules.resources:
            yield f"at resources/{name}/parent: {no_such('resource', kind.parent, rules.resources)}"
