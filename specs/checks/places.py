"""Types of fields that several parts of checks.yaml have."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from ..formats import means
from ..json_types import Json

#: A runtime expression of OpenAPI, such as `$response.body#/id`.
Expression = Annotated[str, Meta(pattern=r"^\$")]
Expressions = tuple[Expression, ...]
Operation = str
Status = int | None
NotNegative = Annotated[int, Meta(ge=0)]
#: Expression to its exact value, or to a condition in braces.
Conditions = Mapping[str, Json]

When = Annotated[
    Mapping[str, str | tuple[str, ...]],
    means("The readings under which this holds; all unless given.", {"list_form": "array"}),
]
Shows = Annotated[
    Conditions,
    means(
        "What the answer shows: a value, or a condition in braces such as `present` and `absent`.",
        {"$response.body#/status": "queued", "$response.body#/url": {"absent": True}},
    ),
]
Added = Annotated[
    Mapping[str, Json],
    means("Fields that join or replace those of the smallest request; null: none.", {"seed": 3}),
]
Without = Annotated[tuple[str, ...], means("Fields that the request lacks.", ["prompt"])]
OfOperation = Annotated[Operation, means("The operation that it is about.", "createVideo")]
Summary = Annotated[str, means("What is promised, in words.", "no prompt")]
OptionalStatus = Annotated[Status, means("The status that it is about.", 200)]
