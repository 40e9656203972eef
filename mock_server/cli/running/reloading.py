"""Taking a contract whose files have changed into a running mock; its worlds stay if they fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from screentest.specs.contracts.contract import Contract
from screentest.specs.errors import ContractError
from screentest.specs.files import BEHAVIOUR, CHECKS, READINGS
from screentest.specs.json_types import Json

from ...engine.provider_modules import Providers
from ...engine.world import World
from ...engine.worlds import Worlds


class Reloaded(Struct, frozen=True):
    """What was *changed* in the files, and why a world was *reset*, by its id."""

    changed: tuple[str, ...]
    reset: Mapping[str, str]


def reload_contract(worlds: Worlds, provider_id: str) -> Reloaded:
    """Serve the contract of *provider_id* as its files are now.

    A world with rows that the new contract does not know is reset.

    Raises:
        ContractError: a file is wrong, or only a restart can apply the change; the contract of
            before is still served.
    """
    old = worlds.contracts[provider_id]
    new = Contract(old.place)
    if old.profile is not None:
        new = new.profiled(old.profile)
    _ = new.operations
    _check_same(old, new)
    functions = Providers({provider_id: new})
    reset: dict[str, str] = {}
    # A call may come in between: what it makes by the old contract is looked at afterwards.
    for is_served in (False, True):
        if is_served:
            worlds.contracts[provider_id] = new
            worlds.clocks.providers.pop(provider_id, None)
            worlds.clocks.providers.update(functions)
        for world in worlds.all():
            reason = _misfit(world, old, new)
            if reason:
                worlds.reset(world)
                reset[world.id] = reason
            world.remembered.clear()
    return Reloaded(tuple(_changes(old, new)), reset)


def _check_same(old: Contract, new: Contract) -> None:
    """Raises unless *new* keeps what a running server has handed out."""
    for name, before, after in (
        ("provider.id", old.provider, new.provider),
        ("credentials", old.behaviour.credentials, new.behaviour.credentials),
        ("provider.base_url", old.behaviour.base_url, new.behaviour.base_url),
    ):
        if before != after:
            raise ContractError(f"{new.folder}: {name} has changed, which needs a restart")


def _misfit(world: World, old: Contract, new: Contract) -> str:
    """What *world* has that *new* does not know; empty if it fits."""
    resources, provider_id = new.behaviour.resources, new.provider
    for it in world.rows.resources.all():
        if it.provider != provider_id:
            continue
        rules = resources.get(it.kind)
        if rules is None:
            return f"it has a {it.kind}"
        states = rules.lifecycle.states if rules.lifecycle is not None else {}
        unknown = [name for _, name in (it.script.steps if it.script else ()) if name not in states]
        if unknown or (it.script is None) != (rules.lifecycle is None):
            return f"{it.kind} {it.id} has the state {', '.join(unknown[:1]) or 'of a job'}"
    gone = sorted(old.operations.keys() - new.operations.keys())
    if gone and world.rows.journal.last_seq:
        return f"{gone[0]} was called, or may have been"
    return ""


def _changes(old: Contract, new: Contract) -> Iterator[str]:
    """`behaviour.yaml: operations.createVideo`, for each entry that differs."""
    yield from _differing("openapi", old.document, new.document)
    for name in (BEHAVIOUR, READINGS, CHECKS):
        yield from _differing(name, old.content(name), new.content(name))
    if new.code_file is not None:
        yield new.code_file.name


def _differing(file: str, before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[str]:
    for section in sorted({*before, *after}, key=str):
        one, other = before.get(section), after.get(section)
        if one == other:
            continue
        if not isinstance(one, dict) or not isinstance(other, dict):
            yield f"{file}: {section}"
            continue
        for entry in sorted({*one, *other}, key=str):
            if one.get(entry) != other.get(entry):
                yield f"{file}: {section}.{entry}"
