"""Readings of interpretations, as control calls name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from screentest.specs.contracts.contract import Contract
from screentest.specs.openapi.validation import shown

from ...kernel.errors import MockError, unknown


def check_readings(contracts: Iterable[Contract], readings: Mapping[str, str]) -> None:
    """Raises unless each of *readings* names an interpretation and one of its readings.

    Raises:
        MockError: there is no such interpretation or reading.
    """
    known = {
        f"{contract.provider}.{it.name}": {it.default, *it.alternatives}
        for contract in contracts
        for it in contract.behaviour.interpretations.values()
    }
    for name, value in readings.items():
        if name not in known:
            # All interpretations of all providers would be several screens.
            same = [it for it in known if it.startswith(f"{name.partition('.')[0]}.")]
            raise unknown("interpretation", name, same or known, status=422)
        if value not in known[name]:
            listed = ", ".join(shown(choice) for choice in sorted(known[name]))
            raise MockError(
                f"no reading {value!r} of {name}; there are {listed}", code="unknown_reading"
            )
