"""The contracts: operations, lifecycles, prices, limits, interpretations and clauses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from screentest.specs.clauses.citing_places import citing_places
from screentest.specs.clauses.clauses import read_clauses
from screentest.specs.contracts.contract import Contract

from .lifecycle_drawing import lifecycle_drawing
from .view import View


def contract_list(view: View) -> Mapping[str, object]:
    return {"contracts": [it.behaviour for it in view.worlds.contracts.values()]}


def one_contract(view: View, provider: str) -> Mapping[str, object]:
    contract = view.contract(provider)
    behaviour = contract.behaviour
    readings = view.ask("listInterpretations")
    return {
        "behaviour": behaviour,
        "operations": [
            (it, behaviour.operations.get(name)) for name, it in contract.operations.items()
        ],
        "lifecycles": [lifecycle_drawing(it) for it in behaviour.lifecycles.values()],
        "readings": {
            name.partition(".")[2]: it
            for name, it in readings.items()
            if name.startswith(f"{provider}.")
        },
    }


def clause_list(view: View, provider: str) -> Mapping[str, object]:
    contract = view.contract(provider)
    return {
        "behaviour": contract.behaviour,
        "clauses": list(read_clauses(contract).values()),
        "cited_by": _cited_by(contract),
    }


def _cited_by(contract: Contract) -> Mapping[str, Sequence[str]]:
    """The places of the contract that each clause is the source of, by the id of the clause."""
    places: dict[str, list[str]] = {}
    for place in citing_places(contract):
        for cited in place.ids:
            places.setdefault(cited, []).append(place.at)
    return places
