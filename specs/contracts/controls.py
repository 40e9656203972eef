"""The contract of the control API: read by the same rules as a provider's OpenAPI file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from msgspec import Struct

from ..files import read_yaml
from ..json_types import Json
from ..openapi.documents import Documents
from ..openapi.operations import Operation, compile_operations
from ..openapi.routes import Routes

CONTROL_FILE = Path(__file__).parent.parent / "control" / "openapi.yaml"


class Controls(Struct, frozen=True):
    """The calls of the control API by operation id and by path, and their document."""

    documents: Documents
    operations: Mapping[str, Operation]
    routes: Routes

    @property
    def document(self) -> Json:
        """The OpenAPI document as it is in the file."""
        return self.documents.content


@cache
def load_controls() -> Controls:
    """The contract of the control API, compiled on first use and kept."""
    documents = Documents("control", read_yaml(CONTROL_FILE))
    operations = compile_operations(documents)
    return Controls(documents, operations, Routes([*operations.values()]))
