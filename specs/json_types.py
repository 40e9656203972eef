"""The type of decoded JSON, named once."""

from typing import Any

# A recursive type would ask for a cast at every field that a schema has already checked.
Json = Any
