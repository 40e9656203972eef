"""The type of decoded JSON, named once."""

from typing import Any, Literal

# A recursive type would ask for a cast at every field that a schema has already checked.
Json = Any
#: The JSON Schema name of a type.
TypeName = Literal["array", "boolean", "integer", "null", "number", "object", "string"]
