"""`serve --watch`: contracts are read again when one of their files is saved."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from screentest.specs.errors import ContractError

from ...kernel.errors import MockError
from ..output import paint, tell, tell_error

if TYPE_CHECKING:
    from screentest.specs.contracts.contract import Contract

    from ...engine.worlds import Worlds

_LOOK_S = 0.3
#: Files of a folder that are looked at: more than a contract with many schemas has.
_FILES_MAX = 2_000
_ENDINGS = frozenset({".yaml", ".yml", ".json", ".py"})

#: The files of a contract, each with the time of its last change and its size.
_Seen = Mapping[Path, tuple[int, int]]


watch_option = click.option(
    "--watch", "is_watching", is_flag=True, help="Read contracts of your own again when saved."
)


def watched(contracts: Iterable[Contract]) -> list[Contract]:
    """The contracts that --watch reads again: those of the user's own.

    Raises:
        MockError: there are none.
    """
    own = [it for it in contracts if not it.is_shipped]
    if not own:
        raise MockError("--watch needs a contract of your own: name one with --contract")
    return own


def watch(worlds: Worlds, contracts: Sequence[Contract]) -> None:
    """Read *contracts* again whenever their files change, in a thread of this process."""
    if not contracts:
        return
    seen = {it.provider: (it.place, _look(it.place)) for it in contracts}
    threading.Thread(target=_run, args=(worlds, seen), name="screentest-watch", daemon=True).start()


def _run(worlds: Worlds, seen: dict[str, tuple[Path, _Seen]]) -> None:
    waits = threading.Event()
    while not waits.wait(_LOOK_S):
        for provider_id, (place, before) in seen.items():
            now = _look(place)
            # An editor may write in several steps: wait until it has finished.
            while now != before and not waits.wait(_LOOK_S) and now != (now := _look(place)):
                pass
            if now != before:
                seen[provider_id] = place, now
                _reload(worlds, provider_id)


def _look(place: Path) -> _Seen:
    files = [place] if place.is_file() else [it for it in place.rglob("*") if it.suffix in _ENDINGS]
    found: dict[Path, tuple[int, int]] = {}
    for path in files[:_FILES_MAX]:
        try:
            state = path.stat()
        except OSError:
            continue  # It is being replaced.
        found[path] = state.st_mtime_ns, state.st_size
    return found


def _reload(worlds: Worlds, provider_id: str) -> None:
    from .reloading import reload_contract

    try:
        done = reload_contract(worlds, provider_id)
    except ContractError as error:
        for problem in error.problems:
            tell_error(problem)
        tell(f"{provider_id}: not reloaded; the contract of before is served")
        return
    changed = ", ".join(done.changed) or "nothing that matters"
    tell(f"{paint('reloaded', 'green', sys.stderr)} {provider_id}: {changed}")
    for world_id, reason in done.reset.items():
        tell(f"  world {world_id} began anew: {reason}")
