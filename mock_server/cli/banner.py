"""What `serve` prints when its port answers: addresses, and lines to paste into a shell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from screentest.specs.json_types import Json

from .env_lines import export_lines
from .output import table

if TYPE_CHECKING:
    from ..engine.world import Plan


def banner(url: str, world: Json, providers: Json, pace: str) -> str:
    """The text that `serve` prints: addresses, and lines to paste."""
    from ..kernel.version import version

    counted = f"{len(providers)} AI-video API{'' if len(providers) == 1 else 's'}"
    clock = world["clock"]
    lines = [
        f"screentest {version()}  {counted} on {url}",
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


def kept_settings(world: Json, plan: Plan, chosen: Mapping[str, object]) -> Iterator[str]:
    """Which *chosen* values of *plan* have no effect, because a database contains *world*."""
    clock = world["clock"]
    kept = {
        "seed": (world["seed"], plan.seed, world["seed"]),
        "clock": ((clock["mode"], clock["speed"]), (plan.mode.value, plan.speed), clock["mode"]),
        "pace": (world["pace"], plan.pace, f"{world['pace']:g}"),
    }
    for name, (is_now, asked, shown) in kept.items():
        if name in chosen and is_now != asked:
            yield f"keeps its {name} {shown}; {name} {chosen[name]} needs a new file"
