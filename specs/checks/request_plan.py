"""A request as the checks describe it, which the contract kit fills in and sends."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from ..json_types import Json


class RequestPlan(Struct, frozen=True, forbid_unknown_fields=True):
    """A request without its address: one of *json*, *form* and *raw*, or no body at all.

    *answers* is the status of the smallest request where it cannot be a success.
    """

    json: Json = None
    form: Mapping[str, Json] | None = None
    query: Mapping[str, Json] = {}
    headers: Mapping[str, str] = {}
    raw: str | None = None
    type: str | None = None
    answers: int | None = None

    @property
    def fields(self) -> Mapping[str, Json]:
        """The fields of its body, of whichever form."""
        if self.form is not None:
            return self.form
        return self.json if isinstance(self.json, dict) else {}
