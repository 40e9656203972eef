"""A test double for AI-video APIs.

The public names, and nothing else: each is imported from its module when it is first used, so
``import screentest`` costs a millisecond and loads neither Flask nor a validator.
"""

from importlib import import_module
from typing import Any

# Public name -> the module that defines it. Twelve names at most; a test counts them.
_MODULE_OF: dict[str, str] = {}

__all__ = ["__version__"]  # pyright: ignore[reportUnsupportedDunderAll]  # made in __getattr__


def __getattr__(name: str) -> Any:
    """Load public *name* from its module, once."""
    if name == "__version__":
        # Costs 25 ms, which every test run of every user would pay.
        from importlib.metadata import version

        value: Any = version("screentest")
    elif name in _MODULE_OF:
        value = getattr(import_module(_MODULE_OF[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
