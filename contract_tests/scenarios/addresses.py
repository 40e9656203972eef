"""Addresses of files that a provider hands out: that they work, how long, and only unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

from screentest.specs.behaviour.outputs import UrlRules

from ..rules import rule_ids
from ..sessions.made import Made
from ..sessions.session import Session
from ..targets.needs import Need, NeedError, UnableError
from ..traces.expressions import evaluate, has_value

_MONTH_MS = 30 * 24 * 3_600_000


def address_of(session: Session, rules: UrlRules, url: str, made: Made, at: str) -> None:
    """Judge a URL from an answer: it works as long as documented, and only unchanged."""
    name, check = rules.name, session.judge.check
    fetched = session.fetch(url)
    detail = f"it answered {fetched.status} with {len(fetched.body)} bytes"
    works = fetched.status == 200 and bool(fetched.body)
    check(rule_ids.url(name, "works"), detail, fetched, holds=works)
    if rules.names:
        for altered in _altered(url, rules):
            answer = session.fetch(altered)
            detail = f"a changed address was answered {answer.status}"
            holds = answer.status in {401, 403, 404}
            # No document of a provider says what a changed address is answered.
            check(rule_ids.url(name, "sealed"), detail, answer, holds=holds, is_documented=False)
    if rules.lives_ms is None:
        _be_patient(session, _MONTH_MS)
        session.target.wait(_MONTH_MS)
        later = session.fetch(url)
        detail = f"after 30 days it answered {later.status}"
        check(rule_ids.url(name, "stays"), detail, later, holds=later.status == 200)
        return
    _lifetime(session, rules, made, at)


def _lifetime(session: Session, rules: UrlRules, made: Made, at: str) -> None:
    name, check = rules.name, session.judge.check
    assert rules.lives_ms is not None
    first = session.resources.read(made)
    session.target.wait(1_500)
    second = session.resources.read(made)
    url, other = evaluate(at, first), evaluate(at, second)
    detail = "two reads gave the same address"
    check(rule_ids.url(name, "fresh"), detail, first, second, holds=has_value(url) and url != other)
    if not isinstance(url, str):
        return
    _be_patient(session, rules.lives_ms)
    end_ms = first.at_ms + rules.lives_ms
    # No user of a real server comes back within a second.
    margin_ms = 1_000 if session.is_steered else rules.lives_ms // 10
    session.target.wait(end_ms - session.target.now_ms() - margin_ms)
    before = session.fetch(url)
    session.target.wait(end_ms - session.target.now_ms() + 1_000)
    after = session.fetch(url)
    detail = f"it answered {before.status} before its end, {after.status} after it"
    has_ended = after.status in {401, 403, 404, 410}
    if before.at_ms >= end_ms and has_ended:
        raise UnableError("the run continued after the end of the address")
    holds = (before.status == 200 or before.at_ms >= end_ms) and has_ended
    check(rule_ids.url(name, "lives"), detail, before, after, holds=holds)
    renewed = evaluate(at, session.resources.read(made))
    if isinstance(renewed, str):
        answer = session.fetch(renewed)
        detail = f"the address of a new read answered {answer.status}"
        check(rule_ids.url(name, "fresh"), detail, answer, holds=answer.status == 200)


def _be_patient(session: Session, ms: int) -> None:
    """Raises unless the target allows a wait of *ms*."""
    if ms > session.target.patience_ms:
        raise NeedError(Need.PATIENCE, str(ms // 1_000))


def _altered(url: str, rules: UrlRules) -> Iterator[str]:
    """*url* with one changed character in its signature, and with a later expiry."""
    parts = urlsplit(url)
    pairs = [pair.partition("=") for pair in parts.query.split("&")]
    for role in ("signature", "expires"):
        wanted = rules.names.get(role)
        if wanted is None:
            continue
        query = "&".join(
            f"{name}={_other(value) if name == wanted else value}" for name, _, value in pairs
        )
        yield urlunsplit(parts._replace(query=query))


def _other(value: str) -> str:
    if not value:
        return "1"
    last = value[-1]
    return value[:-1] + ("1" if last == "0" else "0")
