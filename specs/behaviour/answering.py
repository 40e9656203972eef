"""What an operation refuses, and how it pages a list.

Structs of a behaviour file, filled by `behaviour_file`.
"""

from __future__ import annotations

from msgspec import Struct

from ..expressions.templates import Template


class RefusedWhen(Struct, frozen=True, forbid_unknown_fields=True):
    """A refusal for *reason* with these *facts*, made while *when* is true."""

    when: Template
    reason: str
    facts: Template | None = None


class Page(Struct, frozen=True, forbid_unknown_fields=True):
    """Which resources a list has, newest first unless *rising*.

    It has at most *limit* of them; it starts behind the one with the id *after*, or *offset* later.
    An *after* that the account does not have is refused for the reason *unknown*; null ignores it.
    *where* is asked for each resource.
    """

    limit: Template | None = None
    after: Template | None = None
    offset: Template | None = None
    rising: Template | None = None
    unknown: Template | None = None
    where: Template | None = None
