"""A request as the checks describe it, which the contract kit fills in and sends."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Struct

from ..formats import means
from ..json_types import Json


class RequestPlan(Struct, frozen=True, forbid_unknown_fields=True):
    """A request without its address: one of *json*, *form* and *raw*, or no body at all."""

    json: Annotated[Json, means("The JSON body.", {"prompt": "a lamp"})] = None
    form: Annotated[
        Mapping[str, Json] | None,
        means(
            "The fields of a form; a file has a name, a type and what it is.",
            {"avatar": {"name": "face.png", "type": "image/png", "is": "png"}},
        ),
    ] = None
    query: Annotated[Mapping[str, Json], means("The query parameters.", {"limit": 2})] = {}
    headers: Annotated[Mapping[str, str], means("Further headers.", {"X-Beta": "1"})] = {}
    raw: Annotated[str | None, means("The body as it is sent.", "{broken")] = None
    type: Annotated[str | None, means("The Content-Type of a raw body.", "text/plain")] = None
    answers: Annotated[
        int | None, means("The status of a smallest request that cannot be a success.", 400)
    ] = None

    @property
    def fields(self) -> Mapping[str, Json]:
        """The fields of its body, of whichever form."""
        if self.form is not None:
            return self.form
        return self.json if isinstance(self.json, dict) else {}
