"""What is wrong with a run that was broken, compared with the undisturbed one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum

from ..kernel.clock import parse_rfc3339
from .breaks import RETRY_AFTER_S
from .observation import Cell, Observed, has_arrived
from .places import decoded, has_signed_url, state_words

_REFUSED = frozenset({"refused", "credits", "revoked"})
#: The reason of a refused file; a signature in its URL is the provider's.
_FILE = "file"
#: Where the journal has cut a secret out of a text.
_CUT = "\u2026["


class Verdict(Enum):
    """The verdict of a run: its mark in the table, and what it means."""

    RECOVERED = "·", "recovered: the program has its results"
    REPORTED = "e", "ended with an error, which reports the failure"
    GAVE_UP = "$", "ended with an error, and a paid result was not fetched"
    NOT_MET = "-", "the break did not happen"
    PAID_TWICE = "2", "paid for more than the undisturbed run"
    NO_RESULT = "?", "ended as if all was well, without a result of the undisturbed run"
    ENDLESS = "∞", "did not end by itself"
    TOO_EARLY = "!", "did not wait for as long as Retry-After asked"
    PAID_AFTER_REFUSAL = "R", "paid again for what the provider had refused"
    SECRET_IN_URL = "K", "sent a key in a URL"

    @property
    def mark(self) -> str:
        return self.value[0]

    @property
    def summary(self) -> str:
        return self.value[1]

    @property
    def is_bad(self) -> bool:
        """Whether a verdict breaks the run."""
        good = (Verdict.RECOVERED, Verdict.REPORTED, Verdict.GAVE_UP, Verdict.NOT_MET)
        return self not in good


def judge(plain: Observed, run: Observed, cell: Cell) -> tuple[Verdict, ...]:
    """The verdicts about *run*, the worst first. *plain* is the undisturbed run."""
    if not run.has_fired:
        return (Verdict.NOT_MET,)
    bad = tuple(_broken(plain, run, cell))
    if bad:
        return bad
    if run.ending.kind == "ok":
        return (Verdict.RECOVERED,)
    return (Verdict.GAVE_UP if run.seen < run.bought else Verdict.REPORTED,)


def _broken(plain: Observed, run: Observed, cell: Cell) -> Iterator[Verdict]:
    if run.bought > plain.bought:
        yield Verdict.PAID_TWICE
    if run.ending.kind == "stopped":
        yield Verdict.ENDLESS
    if _pays_after_refusal(run, cell):
        yield Verdict.PAID_AFTER_REFUSAL
    if run.ending.kind == "ok" and (
        run.seen < plain.seen
        or _lacks_end(plain, run, cell)
        or _believes_state(run, cell)
        or _lacks_file(run, cell)
    ):
        yield Verdict.NO_RESULT
    if "429" in cell.breaks and run.is_warped and _is_too_early(run):
        yield Verdict.TOO_EARLY
    if any(_CUT in it["request"]["query"] for it in run.lines if it.get("reason") != _FILE):
        yield Verdict.SECRET_IN_URL


def _pays_after_refusal(run: Observed, cell: Cell) -> bool:
    """Whether the program has paid again for the content of the broken request."""
    if not _REFUSED & set(cell.breaks) or cell.place.rules.effect == "read":
        return False
    asked = [_content(it) for it in run.lines[cell.place.position_in(run.lines) :][:1]]
    same = [it for it in run.lines if [_content(it)] == asked and it["response"]["status"] < 300]
    return len(same) > 1 and run.bought > 0


def _content(line: Mapping[str, object]) -> object:
    request = line["request"]
    assert isinstance(request, dict)
    return line["operation"], request.get("form"), request.get("body", {}).get("sha256")


def _lacks_end(plain: Observed, run: Observed, cell: Cell) -> bool:
    """Whether the broken request was the last one, which gets the result, and never succeeded."""
    place = cell.place
    if place.is_webhook or place.index < len(plain.lines) - 1:
        return False
    later = run.lines[place.position_in(run.lines) :]
    calls = [it for it in later if it["operation"] == place.operation]
    return not any(has_arrived(it, may_rewrite=True) for it in calls)


def _believes_state(run: Observed, cell: Cell) -> bool:
    """Whether no answer that the program could understand had a final state."""
    if "state" not in cell.breaks:
        return False
    words = state_words(cell.place.contract)
    clear = [decoded(it) for it in run.lines if not it.get("faults")]
    return not any(word in _texts(body) for body in clear for word in words if words[word])


def _lacks_file(run: Observed, cell: Cell) -> bool:
    """Whether the program was refused a file, and did not ask for another URL of it."""
    if "expired" not in cell.breaks:
        return False
    refused = [number for number, it in enumerate(run.lines) if it.get("reason") == _FILE]
    later = run.lines[refused[-1] :] if refused else ()
    return bool(refused) and not any(has_signed_url(it, cell.place.contract) for it in later)


def _texts(body: object) -> Iterator[object]:
    if isinstance(body, dict):
        for value in body.values():
            yield from _texts(value)
    else:
        yield body


def _is_too_early(run: Observed) -> bool:
    """Whether an operation was called again before the time that Retry-After named."""
    for number, line in enumerate(run.lines):
        if line["response"]["status"] != 429 or not line.get("faults"):
            continue
        until_ms = parse_rfc3339(line["at"]) + RETRY_AFTER_S * 1_000
        later = (it for it in run.lines[number + 1 :] if it["operation"] == line["operation"])
        again = next(later, None)
        if again is not None and parse_rfc3339(again["at"]) < until_ms:
            return True
    return False
