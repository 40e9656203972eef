"""A test double for AI-video APIs.

The public names, and nothing else: each is imported from its module when it is first used, so
``import screentest`` costs a millisecond and loads neither Flask nor a validator.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from screentest.contract_tests.runs.check import ScreentestMonitors
    from screentest.fixtures.world.account import Account
    from screentest.fixtures.world.errors import ScreentestWarning, UnmatchedRequestError
    from screentest.fixtures.world.live import LiveServer
    from screentest.fixtures.world.options import Options
    from screentest.fixtures.world.provider import ProviderHandle
    from screentest.fixtures.world.world import World, WorldFactory
    from screentest.mock_server.http.app import create_app
    from screentest.mock_server.kernel.errors import MockError
    from screentest.mock_server.kernel.version import __version__
    from screentest.specs.contracts.registry import load_contract


# Public name -> the module that defines it. Twelve names and the version at most; a test counts
# them.
_MODULE_OF: dict[str, str] = {
    "Account": "screentest.fixtures.world.account",
    "LiveServer": "screentest.fixtures.world.live",
    "MockError": "screentest.mock_server.kernel.errors",
    "Options": "screentest.fixtures.world.options",
    "ProviderHandle": "screentest.fixtures.world.provider",
    # Needs the extra `contract`.
    "ScreentestMonitors": "screentest.contract_tests.runs.check",
    "ScreentestWarning": "screentest.fixtures.world.errors",
    "UnmatchedRequestError": "screentest.fixtures.world.errors",
    "World": "screentest.fixtures.world.world",
    "WorldFactory": "screentest.fixtures.world.world",
    "__version__": "screentest.mock_server.kernel.version",
    "create_app": "screentest.mock_server.http.app",
    "load_contract": "screentest.specs.contracts.registry",
}

__all__ = [
    "Account",
    "LiveServer",
    "MockError",
    "Options",
    "ProviderHandle",
    "ScreentestMonitors",
    "ScreentestWarning",
    "UnmatchedRequestError",
    "World",
    "WorldFactory",
    "__version__",
    "create_app",
    "load_contract",
]


def __getattr__(name: str) -> Any:
    """Load public *name* from its module, once."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value = getattr(import_module(_MODULE_OF[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
