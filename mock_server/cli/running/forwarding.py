"""`serve --upstream`: chosen operations are answered by a real server, within a budget.

The credentials of that server come from the environment. They replace those of the client, are in
no option, and are cut out of what the server answers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from screentest.specs.contracts.contract import Contract
from screentest.specs.errors import no_such

from ...engine.provider import Reply, Request
from ...kernel.errors import MockError

if TYPE_CHECKING:
    from screentest.contract_tests.targets.target import OutgoingRequest
    from screentest.contract_tests.traces.trace import Raw
    from screentest.specs.openapi.operations import Operation

    from ...http.edge import Upstream

#: The variables with the keys of the real server, by the kind of key.
VARIABLES = {"api_key": "SCREENTEST_UPSTREAM_API_KEY", "bearer": "SCREENTEST_UPSTREAM_BEARER"}
_PROBLEM = "application/problem+json"
#: Of one connection each, and of the address that the client asked for.
_NOT_SENT = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "expect"}
)
_NOT_PASSED = frozenset(
    {"connection", "content-length", "transfer-encoding", "content-encoding", "content-type"}
)


@dataclass(frozen=True, slots=True)
class Forwarding:
    """The options about a real server."""

    url: str | None
    operations: tuple[str, ...]
    budget: int
    is_live: bool

    def open(self, contracts: Sequence[Contract]) -> Upstream | None:
        """What answers the chosen operations; None without an upstream.

        Raises:
            MockError: the options do not fit the contract, or a key is missing.
        """
        if self.url is None and not self.operations:
            return None
        if self.url is None or not self.operations:
            raise MockError("--upstream and --forward need each other")
        if len(contracts) != 1:
            raise MockError("--upstream is the server of one provider: name it with --provider")
        from screentest.contract_tests.targets.live import NotAllowedError, check_address

        try:
            check_address(self.url, is_live=self.is_live)
        except NotAllowedError as error:
            raise MockError(f"--upstream: {error}") from None
        (contract,) = contracts
        for name in self.operations:
            self._check(contract, name)
        return _RealServer(contract, self.url, frozenset(self.operations), self.budget).call_for

    def _check(self, contract: Contract, name: str) -> None:
        operation = contract.operations.get(name)
        if operation is None:
            raise MockError(f"--forward: {no_such('operation', name, contract.operations)}")
        rules = contract.behaviour.operations[name]
        is_paid = rules.effect == "billable" or (rules.is_unbehaved and rules.effect != "read")
        if is_paid and (rules.price is None or contract.behaviour.initial_credits is None):
            raise MockError(
                f"--forward {name}: the contract names no price for it, so that no budget limits "
                "what it costs"
            )
        kinds = {contract.behaviour.credentials[it].key_kind for it in operation.security}
        if kinds and not kinds & _keys().keys():
            variables = " or ".join(VARIABLES[it] for it in sorted(kinds & VARIABLES.keys()))
            raise MockError(f"--forward {name}: set {variables} to a key of the real server")


def _keys() -> dict[str, str]:
    return {kind: os.environ[name] for kind, name in VARIABLES.items() if os.environ.get(name)}


class _RealServer:
    """Forwards calls of *operations* to *url*, and spends at most *budget* credits there."""

    def __init__(
        self, contract: Contract, url: str, operations: frozenset[str], budget: int
    ) -> None:
        from screentest.contract_tests.runs.open_target import base_address
        from screentest.contract_tests.targets.guard import BudgetGuard, CreditBudget
        from screentest.contract_tests.targets.live import Live
        from screentest.contract_tests.targets.target import Identity
        from screentest.specs.contracts.redaction import Secrets

        self._contract = contract
        self._operations = operations
        self._owner = Identity("owner", _keys())
        self._live = Live(base_address(url, contract), self._owner)
        self._budget = CreditBudget(budget)
        self._guard = BudgetGuard(contract, self._budget)
        self._secrets = Secrets(contract.behaviour, self._owner.keys.values())

    def call_for(self, provider_id: str, request: Request) -> Callable[[], Reply] | None:
        """The call to the real server that *request* makes; None where the mock answers it."""
        from screentest.contract_tests.traces.trace import find_operation

        if provider_id != self._contract.provider:
            return None
        operation, _ = find_operation(self._contract, request.method, request.path)
        if operation is None or operation.id not in self._operations:
            return None
        return lambda: self._answer(operation, request)

    def _answer(self, operation: Operation, request: Request) -> Reply:
        from screentest.contract_tests.targets.guard import SpentError
        from screentest.contract_tests.targets.live import UnreachableError

        if request.problem is not None or request.form is not None:
            detail = "calls with files, and bodies that cannot be read, are not forwarded"
            return _refused(501, "Not Forwarded", detail)
        try:
            raw = self._guard.pass_on(self._wire(operation, request), self._live.send)
        except SpentError as error:
            detail = (
                f"{error}, of the {self._budget.limit} that `serve --budget` allows to spend at "
                f"{self._live.url}; the request was not sent"
            )
            return _refused(402, "Budget Spent", detail)
        except UnreachableError as error:
            return _refused(502, "Upstream Unreachable", self._secrets.cut(str(error)))
        return self._reply(raw)

    def _wire(self, operation: Operation, request: Request) -> OutgoingRequest:
        """*request* with the credential of the real server in place of the client's."""
        from screentest.contract_tests.targets.credentials import credential_of, signed
        from screentest.contract_tests.targets.target import OutgoingRequest
        from screentest.specs.contracts.redaction import is_secret_header

        behaviour = self._contract.behaviour
        headers = {
            name: value
            for name, value in request.headers.items()
            if name not in _NOT_SENT and not is_secret_header(name, behaviour)
        }
        wire = OutgoingRequest(request.method, request.path, request.query, headers, request.body)
        return signed(wire, credential_of(behaviour, operation, self._owner))

    def _reply(self, raw: Raw) -> Reply:
        headers = {
            name: self._secrets.cut(value)
            for name, value in raw.headers.items()
            if name not in _NOT_PASSED
        }
        headers["X-Screentest-Upstream"] = self._live.url
        body = self._secrets.cut_bytes(raw.body) if raw.body else None
        return Reply(raw.status, body, headers, raw.headers.get("content-type", ""))


def _refused(status: int, title: str, detail: str) -> Reply:
    body = {"title": title, "status": status, "detail": detail}
    return Reply(status, body, {}, _PROBLEM, "upstream", departure="upstream")


def forwarding_options(function: Any) -> Any:
    """`--upstream`, `--forward`, `--budget` and `--live`; the verb gets *forwarding*."""

    @wraps(function)
    def command(
        *, upstream: str | None, forward: str, budget: int, is_live: bool, **options: Any
    ) -> None:
        operations = tuple(it.strip() for it in forward.split(",") if it.strip())
        function(forwarding=Forwarding(upstream, operations, budget, is_live), **options)

    # click collects parameters from the last to the first.
    for add in (
        click.option("--live", "is_live", is_flag=True, help="Allow an upstream elsewhere."),
        click.option(
            "--budget",
            type=click.IntRange(min=0),
            default=0,
            show_default=True,
            help="The most credits that forwarded calls may spend.",
        ),
        click.option(
            "--forward",
            default="",
            metavar="OPERATIONS",
            help="Let the real server answer these operations, separated by commas.",
        ),
        click.option(
            "--upstream",
            metavar="URL",
            help="The real server of the one provider that is served. Its key is read from "
            "SCREENTEST_UPSTREAM_API_KEY.",
        ),
    ):
        command = add(command)
    return command
