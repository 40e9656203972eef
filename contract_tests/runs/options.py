"""The options of a run: provider, address, credentials, and limits."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.redaction import Secrets
from screentest.specs.contracts.registry import Contracts, shipped_contracts

from ..scenarios.verify import Supplied
from ..targets.needs import Need


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """The options of one run. *url* None means our own mock, in process.

    *readings* are those of interpretations, by `provider.name`; the others have their default.
    *contracts* are all that are known.

    Webhooks are sent to *callback*, which leads to *callback_listen*, as `HOST:PORT`; without the
    former that is the address. Open paid jobs are kept in *journal*; without one, those of a live
    target are kept in a file of its own in *state_folder*. *resume* is the file of a run that later
    runs continue.
    """

    provider: str
    url: str | None = None
    api_key: str = ""
    second_api_key: str = ""
    empty_api_key: str = ""
    revoked_api_key: str = ""
    bearer: str = ""
    callback: str = ""
    callback_listen: str = ""
    callback_secret: str = ""
    balance_command: str = ""
    failing_prompt: str = ""
    refused_prompt: str = ""
    tier: str = "full"
    budget: int | None = None
    is_read_only: bool = False
    is_live: bool = False
    time_scale: float = 1.0
    patience_ms: int = 10 * 60_000
    seed: int = 1
    only: str = ""
    fuzz: int = 0
    readings: Mapping[str, str] = field(default_factory=dict[str, str])
    contracts: Contracts = field(default_factory=shipped_contracts)
    journal: Path | None = None
    resume: Path | None = None
    state_folder: Path | None = None
    reports: Sequence[tuple[str, Path]] = field(default_factory=tuple[tuple[str, Path], ...])

    @property
    def keys(self) -> tuple[str, ...]:
        """The credentials that were given; no report or file may contain them."""
        further = (self.second_api_key, self.empty_api_key, self.revoked_api_key)
        return tuple(it for it in (self.api_key, *further, self.bearer, self.callback_secret) if it)

    @property
    def callback_url(self) -> str:
        """The address to enter at the provider; empty without a callback."""
        return self.callback or (f"http://{self.callback_listen}/" if self.callback_listen else "")

    @property
    def supplied(self) -> Supplied:
        """What the run has, as far as the options say."""
        if self.url is None:
            return Supplied(frozenset(), sys.maxsize)
        # Whether the server is our own mock is not known before it is asked.
        lacks = {Need.STEERING}
        lacks |= set() if self.balance_command else {Need.BALANCE}
        lacks |= set() if self.failing_prompt else {Need.FAILURE}
        lacks |= set() if self.refused_prompt else {Need.REFUSAL}
        lacks |= set() if self.second_api_key else {Need.SECOND_ACCOUNT}
        lacks |= set() if self.empty_api_key else {Need.EMPTY_ACCOUNT}
        lacks |= set() if self.callback_url else {Need.CALLBACK}
        lacks |= {Need.BUDGET} if self.is_live and self.budget is None else set()
        patience_ms = self.patience_ms if self.resume is None else sys.maxsize
        return Supplied(frozenset(lacks), patience_ms)

    @property
    def contract(self) -> Contract:
        """The contract of the provider, under the readings that were chosen.

        Raises:
            UnknownNameError: there is no such provider, interpretation or reading.
        """
        return self.contracts.load(self.provider, self.readings)

    @property
    def secrets(self) -> Secrets:
        return Secrets(self.contract.behaviour, self.keys)
