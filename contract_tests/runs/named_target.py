"""The target that `--screentest-target` names: a provider's mock, or a server.

SCREENTEST_API_KEY, SCREENTEST_SECOND_API_KEY, SCREENTEST_EMPTY_API_KEY,
SCREENTEST_REVOKED_API_KEY and SCREENTEST_BEARER are its keys,
SCREENTEST_BUDGET the credits that all tests of a run may spend there, SCREENTEST_TIME_SCALE how
many times faster than ours its clock runs. SCREENTEST_LIVE=1 allows a server that is not this
machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from screentest.specs.checks.checks import Checks
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.registry import find_contracts
from screentest.specs.errors import ContractError

from ..targets.guard import CreditBudget, Guarded
from ..targets.live import NotAllowedError, UnreachableError, check_address
from .command import allowance
from .open_target import KeyRefusedError, check_key, opener
from .options import VerifyOptions

_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True, eq=False)
class NamedTarget:
    """A target with the one budget that all its requests share. Two are never equal."""

    options: VerifyOptions
    contract: Contract
    checks: Checks
    budget: CreditBudget
    open: Callable[[], Guarded]

    @property
    def is_remote(self) -> bool:
        return self.options.url is not None

    @property
    def is_out_of_budget(self) -> bool:
        return self.budget.refused > 0


def named_target(name: str, environment: Mapping[str, str]) -> NamedTarget:
    """The target that `PROVIDER` or `PROVIDER=URL` names; nothing is sent yet.

    Raises:
        ContractError: there is no such provider.
        NotAllowedError: the address is wrong, or another machine's and not allowed.
        ValueError: a variable is not a number.
    """
    options = options_of(name, environment)
    contract = options.contract
    checks = load_checks(contract)
    budget = _share(allowance(options, contract, checks), environment)
    return NamedTarget(options, contract, checks, budget, opener(options, contract, budget))


def _share(budget: CreditBudget, environment: Mapping[str, str]) -> CreditBudget:
    """The budget of this process: workers of pytest-xdist cannot share one."""
    workers = int(environment.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return budget if budget.limit is None else replace(budget, limit=budget.limit // workers)


def options_of(target_name: str, environment: Mapping[str, str]) -> VerifyOptions:
    """The options for `PROVIDER` or `PROVIDER=URL`.

    Raises:
        ContractError: there is no such provider.
        NotAllowedError: the address is wrong, or another machine's and not allowed.
        ValueError: a variable is not a number.
    """
    provider, _, url = target_name.partition("=")
    contracts = find_contracts(environ=environment)
    contracts.load(provider)
    is_live = environment.get("SCREENTEST_LIVE", "") not in {"", "0"}
    if url:
        check_address(url, is_live=is_live)
    return VerifyOptions(
        provider=provider,
        contracts=contracts,
        url=url or None,
        api_key=environment.get("SCREENTEST_API_KEY", ""),
        second_api_key=environment.get("SCREENTEST_SECOND_API_KEY", ""),
        empty_api_key=environment.get("SCREENTEST_EMPTY_API_KEY", ""),
        revoked_api_key=environment.get("SCREENTEST_REVOKED_API_KEY", ""),
        bearer=environment.get("SCREENTEST_BEARER", ""),
        tier="smoke" if url else "full",
        budget=_number(environment, "SCREENTEST_BUDGET", int),
        is_live=is_live,
        time_scale=_number(environment, "SCREENTEST_TIME_SCALE", float) or 1.0,
    )


def checked_target(
    target_name: str, environment: Mapping[str, str], *, is_asked: bool = True
) -> NamedTarget:
    """A target that can be tested. With *is_asked* the server was reached, and its key works.

    Raises:
        ValueError: it cannot; the message says what is wrong, and what to do.
    """
    try:
        found = named_target(target_name, environment)
        if found.is_remote and is_asked:
            check_key(found.open, found.contract, found.checks)
    except UnreachableError as error:
        detail = f"{error}; check that the server runs and that the address is right"
    except (ContractError, NotAllowedError, KeyRefusedError, ValueError) as error:
        detail = str(error).replace("Add --live", "Set SCREENTEST_LIVE=1")
        detail = detail.replace(
            "use --api-key or --bearer", "set SCREENTEST_API_KEY or SCREENTEST_BEARER"
        )
    else:
        return found
    raise ValueError(f"--screentest-target {target_name}: {detail}") from None


def _number(
    environment: Mapping[str, str], name: str, read: Callable[[str], _Number]
) -> _Number | None:
    text = environment.get(name, "")
    try:
        found = read(text) if text else None
    except ValueError:
        raise ValueError(f"{name}: expected a number, got {text!r}") from None
    if found is not None and found < 0:
        raise ValueError(f"{name}: expected a number from 0 up, got {text!r}")
    return found
