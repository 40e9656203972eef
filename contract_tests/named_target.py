"""What `--screentest-target` names: a provider's mock, or a server with what the environment says.

SCREENTEST_API_KEY, SCREENTEST_SECOND_API_KEY and SCREENTEST_BEARER are its keys,
SCREENTEST_BUDGET the credits that may be spent, SCREENTEST_TIME_SCALE how many times faster than
ours its clock runs. SCREENTEST_LIVE=1 allows a server that is not this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from screentest.specs.contract import load_contract
from screentest.specs.errors import ContractError

from .live import NotAllowedError, check_address
from .options import Options

_Number = TypeVar("_Number", int, float)


def options_of(target_name: str, environment: Mapping[str, str]) -> Options:
    """How `PROVIDER` or `PROVIDER=URL` is tested.

    Raises:
        ContractError: there is no such provider.
        NotAllowedError: the address is none, or another machine's and nobody meant that.
        ValueError: a variable is no number.
    """
    provider, _, url = target_name.partition("=")
    load_contract(provider)
    is_live = environment.get("SCREENTEST_LIVE", "") not in {"", "0"}
    if url:
        check_address(url, is_live=is_live)
    return Options(
        provider=provider,
        url=url or None,
        api_key=environment.get("SCREENTEST_API_KEY", ""),
        second_api_key=environment.get("SCREENTEST_SECOND_API_KEY", ""),
        bearer=environment.get("SCREENTEST_BEARER", ""),
        tier="smoke" if url else "full",
        budget=_number(environment, "SCREENTEST_BUDGET", int),
        is_live=is_live,
        time_scale=_number(environment, "SCREENTEST_TIME_SCALE", float) or 1.0,
    )


def check_target(target_name: str, environment: Mapping[str, str]) -> None:
    """Make sure that a target can be tested.

    Raises:
        ValueError: it cannot; the message says what is wrong, and what to do.
    """
    try:
        options_of(target_name, environment)
    except (ContractError, NotAllowedError, ValueError) as error:
        told = str(error).replace("Add --live", "Set SCREENTEST_LIVE=1")
        raise ValueError(f"--screentest-target {target_name}: {told}") from None


def _number(
    environment: Mapping[str, str], name: str, read: Callable[[str], _Number]
) -> _Number | None:
    text = environment.get(name, "")
    try:
        return read(text) if text else None
    except ValueError:
        raise ValueError(f"{name}: expected a number, got {text!r}") from None
