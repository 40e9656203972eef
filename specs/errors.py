"""Errors in contract files, and the nearest known name for a wrong one."""

from __future__ import annotations

from collections.abc import Collection

#: A longer name is not a misspelling, and a message should stay readable.
_NAME_MAX = 64


class ContractError(ValueError):
    """A contract cannot be used; each of its *problems* names file, place and remedy."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class UnknownNameError(ContractError):
    """No contract has the name that was given; the message suggests the nearest."""


def nearest(
    name: str, known: Collection[str], *, most: int = 1, likeness: float = 0.6
) -> list[str]:
    """Up to *most* of *known* that resemble *name*, the most similar first."""
    # Not at the top: it takes long to load, and most programs use known names only.
    from difflib import get_close_matches

    return get_close_matches(name, known, n=most, cutoff=likeness)


def no_such(what: str, name: str, known: Collection[str], *, listed_max: int | None = None) -> str:
    """`no provider 'klign'; did you mean 'kling'? (there are: kling, luma)`.

    Upper and lower case count as equal where no other name is near. Of more than *listed_max*
    known names only the likeliest are listed.
    """
    cut, lowered = name[:_NAME_MAX], {it.lower(): it for it in known}
    close = nearest(cut, known) or [lowered[it] for it in nearest(cut.lower(), lowered)]
    hint = f"; did you mean {close[0]!r}?" if close else ""
    if listed_max is None or len(known) <= listed_max:
        listed = f" (there are: {', '.join(sorted(set(known)))})" if known else ""
    elif close:
        listed = ""
    else:
        likely = nearest(cut, known, most=3, likeness=0.0)
        listed = f" (there are {len(known)}, such as {', '.join(likely)})"
    shown = name if cut == name else f"{cut}…"
    return f"no {what} {shown!r}{hint}{listed}"
