"""One mistake of a client or a receiver, as the journal and the deliveries show it."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import asdict

from screentest.specs.json_types import Json


class Finding(Struct, frozen=True):
    """One finding. *source* is the provider's public document with clause ids.

    *severity* is `warning` for what the provider accepts and advises against.
    """

    code: str
    pointer: str
    expected: str
    actual: str
    fix: str
    source: str
    severity: str = "error"

    def to_json(self) -> Json:
        return asdict(self)
