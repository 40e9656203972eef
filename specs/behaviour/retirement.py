"""The end of a contract, of models or of operations on a day that the provider has announced."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Annotated

from msgspec import Meta, Struct

from ..formats import Source, means

#: A retirement that is nearer than this is worth a warning.
_SOON_DAYS = 30

_Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Retirement(Struct, frozen=True, dict=True, forbid_unknown_fields=True):
    """What retires on a day, at 00:00 UTC of the world's clock; from then on it is answered 410.

    Without *models* and *operations* it is the whole contract. Until then answers have the headers
    `Deprecation` (RFC 9745) and `Sunset` (RFC 8594).
    """

    day: Annotated[_Day, means("The day.", "2026-09-24")]
    announced: Annotated[
        _Day,
        means("The day from which answers announce it; always, unless given.", "2026-03-24"),
    ] = ""
    models: Annotated[
        frozenset[str], means("The models, as an operation's `models` names them.", ["lamp-1"])
    ] = frozenset()
    operations: Annotated[frozenset[str], means("The operations.", ["createVideo"])] = frozenset()
    link: Annotated[
        str, means("A page about it, for the header `Link`.", "https://lamp.example/sunset")
    ] = ""
    source: Source = ""

    @cached_property
    def on_ms(self) -> int:
        """When it retires."""
        return _start_of(self.day)

    @cached_property
    def announced_ms(self) -> int:
        """When it is announced; 0 for always."""
        return _start_of(self.announced) if self.announced else 0

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """The headers that announce it."""
        # Not at the top: it loads the whole of `email`, and few contracts retire.
        from email.utils import formatdate

        link = {"Link": f'<{self.link}>; rel="sunset"'} if self.link else {}
        since_ms = self.announced_ms or self.on_ms
        return {
            "Deprecation": f"@{since_ms // 1_000}",
            "Sunset": formatdate(self.on_ms / 1_000, usegmt=True),
            **link,
        }

    def concerns(self, operation: str, models: Collection[object]) -> bool:
        """Whether it ends a call of *operation* that asks for one of *models*."""
        if self.operations and operation not in self.operations:
            return False
        return not self.models or not self.models.isdisjoint(models)

    def __str__(self) -> str:
        parts = [("model", self.models), ("operation", self.operations)]
        named = [f"{what} {', '.join(sorted(names))}" for what, names in parts if names]
        return " in ".join(named) or "the API"


def near_retirements(retirements: Iterable[Retirement], today: date) -> Iterator[str]:
    """What has retired before *today*, or will within 30 days."""
    for it in retirements:
        days = (date.fromisoformat(it.day) - today).days
        if days <= 0:
            yield f"{it} retired on {it.day}"
        elif days <= _SOON_DAYS:
            yield f"{it} retires on {it.day}, in {days} days"


def _start_of(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1_000
