"""Mistakes of the person who uses the mock. A provider's error is a `Reply`, never an exception."""

from __future__ import annotations

from collections.abc import Collection


class MockError(Exception):
    """What was asked, what exists, and what to do. *code* is stable and machine-readable.

    *status* is what the control API answers.
    """

    def __init__(self, message: str, *, code: str = "bad_request", status: int = 422) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def nearest(
    name: str, known: Collection[str], *, most: int = 1, likeness: float = 0.6
) -> list[str]:
    """The *most* of *known* that *name* looks like, from 0 to 1; the likeliest first."""
    # Not at the top: it takes long to load, and most programs are asked for what there is.
    from difflib import get_close_matches

    return get_close_matches(name, known, n=most, cutoff=likeness)


def unknown(what: str, name: str, known: Collection[str], *, status: int = 404) -> MockError:
    """`no verb 'sevre'; did you mean 'serve'? (there are: env, serve)`."""
    close = nearest(name, known)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    listed = f" (there are: {', '.join(sorted(known))})" if known else ""
    return MockError(
        f"no {what} {name!r}{hint}{listed}", code="unknown_" + what.replace(" ", "_"), status=status
    )
