"""What `serve` prints when its port answers: addresses, and lines to paste into a shell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from screentest.specs.json_types import Json

from ..http.guard import LOOPBACK
from ..kernel.version import __version__
from ..store.database_urls import shown_database
from .env_lines import export_lines
from .output import table

if TYPE_CHECKING:
    from ..engine.world import Plan


def banner(url: str, world: Json, providers: Json, pace: str) -> str:
    """The text that `serve` prints: addresses, and lines to paste."""
    counted = f"{len(providers)} AI-video API{'' if len(providers) == 1 else 's'}"
    clock = world["clock"]
    lines = [
        f"screentest {__version__}  {counted} on {url}",
        f"  seed {world['seed']}, clock {clock['mode']}, pace {pace}; Ctrl+C to stop",
        "",
    ]
    rows = [
        (
            f"  {provider['id']}",
            world["providers"][provider["id"]]["base_url"],
            f"{provider['operations']:>2} operations",
            provider["auth"],
        )
        for provider in providers
    ]
    lines += table(rows)
    lines += ["", f"  control  {url}/_screentest/health", "", "Paste into your shell:"]
    lines += [f"  {line}" for line in export_lines(world["env"])]
    return "\n".join(lines)


def warnings(
    host: str, database: Path | str | None, world: Json, plan: Plan, chosen: Mapping[str, object]
) -> Iterator[str]:
    """What the options of `serve` do that their user may not want.

    *plan* has the settings of a new world, and *chosen* those that the user gave. *world* is the
    one that is served, which *database* may have had before.
    """
    clock = world["clock"]
    if host not in LOOPBACK and "seed" not in chosen:
        yield (
            f"--host {host} can be reached by others, and the keys of seed {world['seed']} are the "
            "same everywhere; give a --seed of your own"
        )
    kept = {
        "seed": (world["seed"], plan.seed, world["seed"]),
        "clock": ((clock["mode"], clock["speed"]), (plan.mode.value, plan.speed), clock["mode"]),
        "pace": (world["pace"], plan.pace, f"{world['pace']:g}"),
    }
    for name, (is_now, asked, shown) in kept.items():
        if database is not None and name in chosen and is_now != asked:
            keeps = f"{shown_database(database)} keeps its {name} {shown}"
            yield f"{keeps}; {name} {chosen[name]} needs a new file"
