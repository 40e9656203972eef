"""A drafted contract as a folder of files, with each guess as a comment."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterator, Mapping, Set
from pathlib import Path as FilePath
from tempfile import mkdtemp

import yaml

from ..contracts.contract import Contract, read_contract
from ..describing.drawing import lifecycle_lines
from ..errors import ContractError
from ..formats import SCHEMAS
from ..json_types import Json
from ..linting.lint import problems_of
from .draft import Draft
from .values import Path

_WIDTH = 100
_SCHEMA = "behaviour.schema.json"
_HEAD = "What {name} does beyond its OpenAPI file, drafted by `screentest new`. Check each guess."


class _Dumper(yaml.SafeDumper):
    """Writes each value out: an alias would hide what a reader looks for."""

    def ignore_aliases(self, data: Json) -> bool:
        return True


def write_contract(folder: FilePath, openapi: str, draft: Draft) -> Contract:
    """Write a new *folder* with the OpenAPI file *openapi* and the behaviour of *draft*.

    Nothing is left behind unless all files were written and the contract has no problem.

    Raises:
        ContractError: the contract has problems.
        OSError: the folder exists, or cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = FilePath(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        made.chmod(0o755)
        suffix = "json" if openapi.lstrip()[:1] == "{" else "yaml"
        (made / f"openapi.{suffix}").write_text(openapi, encoding="utf-8")
        (made / "behaviour.yaml").write_text(behaviour_text(draft), encoding="utf-8")
        # Beside the file, so that an editor finds it on every machine.
        shutil.copy(SCHEMAS / _SCHEMA, made)
        problems = [it.replace(str(made), str(folder)) for it in problems_of(made)]
        if problems:
            raise ContractError(*problems)
        # Fails if the folder exists by now and has content; an empty one is taken.
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return read_contract(folder)


def behaviour_text(draft: Draft) -> str:
    """The behaviour file of *draft*."""
    around = {it[:end] for it in draft.notes for end in range(1, len(it))}
    head = _HEAD.format(name=draft.rules["provider"]["id"])
    lines = [
        f"# yaml-language-server: $schema={_SCHEMA}",
        f"# {head}",
        *_block(draft.rules, (), draft.notes, around),
    ]
    if draft.unknown:
        lines += ["", "# Not known:", *(line for it in draft.unknown for line in _comment(it, ""))]
    return "\n".join(lines) + "\n"


def yaml_text(document: Json) -> str:
    """*document* as YAML in blocks."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)


def summary_lines(contract: Contract, draft: Draft) -> Iterator[str]:
    """The drafted lifecycles as text, and what could not be known."""
    for name, it in contract.behaviour.lifecycles.items():
        yield f"{name}:"
        yield from (f"  {line}" for line in lifecycle_lines(it))
    if draft.unknown:
        yield "not known:"
        yield from (f"  - {it}" for it in draft.unknown)


def _block(
    value: Mapping[str, Json], place: Path, notes: Mapping[Path, str], around: Set[Path]
) -> Iterator[str]:
    """The lines of *value*; what is *around* a note is not written in one line."""
    indent = "  " * len(place)
    for name, inner in value.items():
        here = (*place, name)
        if not place:
            yield ""
        if here in notes:
            yield from _comment(notes[here], indent)
        key = _flow(name)
        has_notes = here in around
        line = f"{indent}{key}: {_flow(inner)}"
        if not has_notes and len(line) <= _WIDTH:
            yield line
        elif isinstance(inner, dict):
            yield f"{indent}{key}:"
            yield from _block(inner, here, notes, around)
        elif isinstance(inner, list):
            yield f"{indent}{key}:"
            yield from (f"{indent}  {line}" for line in yaml_text(inner).splitlines())
        else:
            yield line


def _comment(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        re.sub(r"\s+", " ", text),
        _WIDTH - len(indent) - 2,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}#   ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _flow(value: Json) -> str:
    text = yaml.dump(
        value,
        Dumper=_Dumper,
        default_flow_style=True,
        sort_keys=False,
        allow_unicode=True,
        width=1_000_000,
    )
    return text.removesuffix("\n").removesuffix("\n...").strip()
