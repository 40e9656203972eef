"""Schemathesis in all its phases against any target, with our monitors as one of its checks.

It works in this process on a WSGI application, so the guard, the clock and the credentials are
those of every scenario. The engine is not a public interface of schemathesis: nothing else uses it,
and `check_version` says which versions this was written for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from screentest.specs.behaviour.sent_keys import text_of
from screentest.specs.checks.checks import Checks
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..rules import rule_ids
from ..rules.judge import Judge, Rule, by_id
from ..rules.known import unworded_statuses
from ..sessions.session import Session
from ..targets.target import Identity
from ..traces.caller_identity import Callers
from .check import Watcher
from .fuzz import check_version
from .wsgi_adapter import SCHEMA_PATH, Front

PHASES = {
    "examples": "send the examples of the schema",
    "coverage": "send the edges of every field",
    "fuzzing": "send random requests",
    "stateful": "follow the links from answer to answer",
}
#: What schemathesis checks by itself. `ignored_auth` is left out: in process its probes break
#: (4.32), and our own rules about credentials ask more.
_CHECKS = {
    "not_a_server_error": "no answer is a server error",
    "status_code_conformance": "every status is a documented one",
    "content_type_conformance": "every content type is a documented one",
    "response_headers_conformance": "documented headers are there, and as described",
    "response_schema_conformance": "every body is as its schema says",
    "negative_data_rejection": "what breaks the schema is refused",
    "positive_data_acceptance": "what keeps to the schema is accepted",
    "missing_required_header": "a request without a required header is refused",
    "unsupported_method": "a method that is not documented is answered 405",
    "allow_header_conformance": "the header Allow names the documented methods",
    "use_after_free": "what was deleted is gone",
    "ensure_resource_availability": "what was made can be read at once",
}
#: Money and limits may refuse a valid request of any operation.
_VALID_STATUSES = ("2xx", "401", "402", "403", "404", "409", "429")
_INVALID_STATUSES = ("4xx",)
#: A stream is read to its end; the longest documented one has far fewer events.
_STREAM_EVENTS_MAX = 10_000
_SHOWN_MAX = 400


def schemathesis_rules() -> dict[str, Rule]:
    """Rules for schemathesis' own checks."""
    rules = [
        Rule(rule_ids.schemathesis(name), "SCH", detail, ("openapi.yaml",))
        for name, detail in _CHECKS.items()
    ]
    crash = Rule(
        rule_ids.schemathesis("runs"),
        "SCH",
        "every made-up request gets an answer",
        ("openapi.yaml",),
    )
    return by_id([*rules, crash])


def run_phase(session: Session, phase: str, *, seed: int = 1, examples: int = 20) -> None:
    """Send the requests that one of PHASES generates; the judge of *session* has the findings.

    Raises:
        FuzzUnavailableError: schemathesis is not installed.
        UnreachableError: the server does not answer any more.
    """
    check_version()
    import schemathesis
    from schemathesis.checks import CHECKS

    controls = session.target.controls
    owner = session.wallet.rich("owner") if controls is not None else session.owner
    front = Front(session, owner)
    config = schemathesis.Config.from_dict(_config(session, owner, seed, examples))
    schema: Any = schemathesis.openapi.from_wsgi(SCHEMA_PATH, front, config=config)
    schema.config.phases.update(phases=[phase])
    prefix = session.contract.behaviour.prefixes[0]
    schema.config.update(base_url=f"http://localhost{prefix}")
    watcher = Watcher(
        session.contract,
        session.judge,
        session.see,
        _callers(session, owner),
        session.target.now_ms,
    )
    check = _check_of(watcher)
    session.judge.add(schemathesis_rules())
    schemathesis.check(check)
    try:
        _judge_events(schema, session.judge, watcher)
    finally:
        CHECKS.unregister(check.__name__)
    if front.unreachable is not None:
        raise front.unreachable


def _check_of(watcher: Watcher) -> type[Any]:
    """A check that is bound to one run; schemathesis makes its own instance."""

    class ScreentestPhase:
        def after_response(self, ctx: Any, response: Any, case: Any) -> None:
            watcher.judge_response(response, case)

    return ScreentestPhase


def _callers(session: Session, owner: Identity) -> Callers:
    return Callers(session.contract, {key: owner.label for key in owner.keys.values() if key})


def _judge_events(schema: Any, judge: Judge, watcher: Watcher) -> None:
    from schemathesis.engine import events, from_schema

    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            for case_id, name, detail in _verdicts(event):
                exchange = watcher.by_case.get(case_id)
                if exchange is not None:  # else the guard answered
                    rule = rule_ids.schemathesis(name)
                    judge.check_optional(rule, detail, exchange, holds=not detail)
        elif isinstance(event, events.NonFatalError):
            detail = f"{event.label}: {event.value}"[:_SHOWN_MAX]
            judge.check(rule_ids.schemathesis("runs"), detail, holds=False)
        elif isinstance(event, events.Interrupted):
            raise KeyboardInterrupt  # schemathesis catches it and ends


def _verdicts(event: Any) -> Iterator[tuple[str, str, str]]:
    """(case, check, problem or "") of every check of a scenario."""
    for case_id, nodes in event.recorder.checks.items():
        for node in nodes:
            detail = ""
            if node.failure_info is not None:
                failure = node.failure_info.failure
                detail = f"{failure.title}: {failure.message}"[:_SHOWN_MAX]
            yield case_id, node.name, detail


def _config(session: Session, owner: Identity, seed: int, examples: int) -> dict[str, Json]:
    is_ours = session.target.controls is not None
    return {
        "seed": seed,
        "continue-on-failure": True,
        "suppress-health-check": ["all"],
        "max-stream-events": _STREAM_EVENTS_MAX,
        "cache": {"enabled": False},
        "analysis": {"constants": {"enabled": False}},
        "generation": {
            "max-examples": examples,
            "database": "none",
            "no-shrink": True,
            "allow-x00": False,
        },
        # On a live server an undocumented method may do anything.
        "phases": {"coverage": {} if is_ours else {"unexpected-methods": []}},
        **_credentials(session.contract, owner),
        "checks": _checks(()),
        "operations": list(_exceptions(session.contract, session.checks)),
    }


def _exceptions(contract: Contract, checks: Checks) -> Iterator[Json]:
    """The settings of single operations."""
    for name, extra in checks.may_refuse.items():
        yield {"include-operation-id": name, "checks": _checks(extra.statuses)}
    off: Json = {"enabled": False}
    for name, operation in contract.operations.items():
        if not all(map(operation.reply, unworded_statuses(contract, operation))):
            yield {"include-operation-id": name, "checks": {"status_code_conformance": off}}
        # Schemathesis puts any bytes into a file part, and fills both or none of two fields that
        # exclude each other; a server that checks contents may refuse them. `refused` and
        # `accepted` of the checks have such requests.
        if any(it.startswith("multipart/") for it in operation.bodies):
            judged = {"positive_data_acceptance": off, "negative_data_rejection": off}
            yield {"include-operation-id": name, "checks": judged}


def _checks(statuses: tuple[int, ...]) -> Mapping[str, Json]:
    """The checks of one operation; *statuses* are valid beside its successes."""
    more = tuple(str(status) for status in statuses)
    return {
        "ignored_auth": {"enabled": False},
        "positive_data_acceptance": {"expected-statuses": [*_VALID_STATUSES, *more]},
        "negative_data_rejection": {"expected-statuses": [*_INVALID_STATUSES, *more]},
        "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", *more]},
    }


def _credentials(contract: Contract, owner: Identity) -> Mapping[str, Json]:
    """The keys of *owner* by scheme, and as headers for schemes that Schemathesis does not send."""
    found: dict[str, Json] = {}
    headers: dict[str, str] = {}
    schemes = contract.document.get("components", {}).get("securitySchemes", {})
    for name, credential in contract.behaviour.credentials.items():
        scheme, key = schemes[name], owner.keys.get(credential.key_kind)
        place, word = credential.forms[0]
        if not key:
            continue
        if scheme.get("type") == "apiKey":
            found[name] = {"api_key": f"{word} {key}".strip()}
        elif scheme.get("type") == "http" and word == "Basic":
            found[name] = {"username": key, "password": ""}
        elif scheme.get("type") == "http":
            found[name] = {"bearer": key}
        else:
            headers[place] = text_of(key, word)
    auth: Json = {"auth": {"openapi": found}} if found else {}
    return {**auth, "headers": headers} if headers else auth
