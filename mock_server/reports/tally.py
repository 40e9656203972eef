"""The outcomes and costs of a run, summed over its worlds and over pytest-xdist workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct, field, to_builtins

from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..engine.world import World
from ..engine.worlds import Worlds
from . import coverage
from .cost_report import receipt

#: Paid twice, two paid where one was used, never fetched, abandoned, acted on twice, broken.
_OF_PAYMENTS = frozenset({"SC210", "SC211", "SC212", "SC213", "SC218", "SC219"})


class Found(Struct):
    """The findings with one code: the first one as an example, and their places in the code."""

    severity: str
    example: dict[str, str]
    count: int = 0
    places: Counter[str] = field(default_factory=Counter[str])


class Tally(Struct):
    """Counts by outcome, such as `PROVIDER getJob 200`, and credits by provider.

    *held* are the credits of jobs that still ran when their world ended. *wasted* are the findings
    about payments by code. *by_test* are the credits by test and provider. *files* are the outcomes
    of requests for files, by present world. *found* are the findings by code, where the run
    *keeps_findings*. *world_ms* is the time from the first to the last request, summed over the
    worlds.
    """

    met: Counter[str] = field(default_factory=Counter[str])
    spent: Counter[str] = field(default_factory=Counter[str])
    held: Counter[str] = field(default_factory=Counter[str])
    wasted: Counter[str] = field(default_factory=Counter[str])
    by_test: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    worlds: int = 0
    files: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    found: dict[str, Found] = field(default_factory=dict[str, Found])
    world_ms: int = 0
    keeps_findings: bool = False

    @property
    def cost(self) -> Counter[str]:
        """The credits that the providers would have charged, if running jobs succeed."""
        return self.spent + self.held

    def to_json(self) -> Json:
        return to_builtins(self)

    def add(self, raw: Json) -> None:
        """Add the counts of another process."""
        self.met.update(raw["met"])
        self.spent.update(raw["spent"])
        self.held.update(raw["held"])
        self.wasted.update(raw["wasted"])
        self.by_test.update(raw["by_test"])
        self.worlds += raw["worlds"]
        self.world_ms += raw["world_ms"]
        for code, it in raw["found"].items():
            known = self.found.setdefault(code, Found(it["severity"], it["example"]))
            known.count += it["count"]
            known.places.update(it["places"])

    def count_file(self, world: World, contract: Contract, path: str, status: int) -> None:
        """Note the *status* of a request for the file at *path*."""
        outcome = coverage.file_outcome(contract, path, status)
        if outcome is not None:
            self.files.setdefault(world.id, []).append(outcome)

    def count(
        self,
        worlds: Worlds,
        world: World,
        place_of: Callable[[str], str] = lambda _: "",
        *,
        test: str = "",
    ) -> None:
        """Add the counts of *world*, which ends.

        *place_of* gives the place in the user's code that has made a request, if it is known.
        *test* is the test of the world, if it has one.
        """
        self.met.update(coverage.met_in(worlds, world.id))
        self.met.update(self.files.pop(world.id, []))
        self.worlds += 1
        with world.rows.transaction() as rows:
            at_ms = [it.at_ms for it in rows.journal.rows.values()]
            self.world_ms += max(at_ms) - min(at_ms) if at_ms else 0
            if rows.payments.has_any or self.keeps_findings:
                # Most worlds of a pytest run pay for nothing, and do not have to load it.
                from ..findings.world_findings import world_findings

                found = world_findings(worlds, world, is_final=True)
                codes = (it.finding["code"] for it in found)
                self.wasted.update(it for it in codes if it in _OF_PAYMENTS)
                for it in found if self.keeps_findings else ():
                    self._keep(it.finding, place_of(it.where["id"]))
            for account in rows.accounts.of_world():
                self.spent[account.provider] += account.spent
                self.held[account.provider] += account.held
                if test and (cost := account.spent + account.held):
                    costs = self.by_test.setdefault(test, {})
                    costs[account.provider] = costs.get(account.provider, 0) + cost

    def _keep(self, finding: Mapping[str, Json], place: str) -> None:
        example = {name: finding[name] for name in ("expected", "actual", "fix", "source")}
        known = self.found.setdefault(finding["code"], Found(finding["severity"], example))
        known.count += 1
        if place:
            known.places[place] += 1

    def receipt(self, providers: Iterable[str]) -> str:
        """The bill of *providers*, and what was paid in vain."""
        bill = receipt(self.spent, self.held, providers)
        if self.wasted:
            codes = ", ".join(f"{it} ×{n}" for it, n in sorted(self.wasted.items()))
            bill += f"\npaid in vain: {codes}; see `screentest explain {min(self.wasted)}`"
        return bill

    def reports(self, worlds: Worlds) -> Json:
        """The receipt and the outcome coverage of the whole run, whose present worlds end now."""
        for world in worlds.all():
            self.count(worlds, world)
        covered = coverage.cover(worlds.contracts.values(), self.met)
        return {
            "worlds": self.worlds,
            "spent": dict(self.spent),
            "held": dict(self.held),
            "outcomes": coverage.to_json(covered),
            "receipt": self.receipt(worlds.contracts),
            "coverage": coverage.table(covered),
            "found": to_builtins(self.found),
            "world_s": self.world_ms / 1_000,
            "met": dict(self.met),
        }
