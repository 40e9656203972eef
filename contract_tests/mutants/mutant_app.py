"""The mock with one defect: a WSGI application around it that changes requests and answers.

The mock is not patched. A defect of behaviour over time (prices, limits, waits) is a change of the
contract that the mock follows; any other defect is a change of a request or an answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlencode

from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json
from screentest.specs.wsgi_environ import variable_of

from ..targets.mock_app import App, MockClient
from ..traces.expressions import at_pointer
from ..traces.trace import MISSING
from .messages import Asked, Headers, MutantAnswer, bend_stream
from .mutant import Mutant
from .mutations import bend_body, fits, swapped_size

_STORAGE = "/_storage/"


@dataclass(slots=True)
class MutantApp:
    """*app* with the defect *mutant*."""

    app: App
    contract: Contract
    mutant: Mutant
    _frozen: dict[tuple[str, str], MutantAnswer] = field(default_factory=dict[Any, Any])
    _counts: dict[tuple[str, str], int] = field(default_factory=dict[Any, int])
    _keys: dict[str, list[dict[str, str]]] = field(default_factory=dict[str, Any])
    _fresh: dict[str, dict[str, str]] = field(default_factory=dict[str, Any])
    _good: dict[tuple[str, str], MutantAnswer] = field(default_factory=dict[Any, Any])
    _bodies: dict[str, tuple[bytes, str]] = field(default_factory=dict[str, Any])
    _paid: set[tuple[str, str]] = field(default_factory=set[Any])
    _first_body: dict[tuple[str, str], MutantAnswer] = field(default_factory=dict[Any, Any])
    _made: dict[str, list[Json]] = field(default_factory=dict[str, Any])

    @property
    def receivers(self) -> dict[str, Any]:
        return self.app.receivers

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"].endswith("/accounts"):
            return self._watch_accounts(environ, start)
        asked = self._understand(environ)
        if asked is None or not self._concerns(asked):
            if asked is None:
                return self.app(environ, start)
            self._note_key(asked)
            return self.app(asked.environ, start)
        answered = self._request(asked)
        if answered.is_stream and self.mutant.change.get("of") == "*":
            pass
        elif self.mutant.seam == "reply":
            self._reply(asked, answered)
        elif self.mutant.seam == "money":
            self._money(asked, answered)
        elif self.mutant.seam == "stream":
            bend_stream(answered, self.mutant.change, self.contract)
        start(f"{answered.status} X", answered.headers)
        return iter(answered.pieces)

    def _watch_accounts(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        """Remember the keys of accounts as these are created."""
        pieces = list(self.app(environ, start))
        made = json.loads(b"".join(pieces))
        if "id" in made:
            keys = [made[name] for name in ("api_key", "bearer") if made.get(name)]
            world = environ["PATH_INFO"].split("/")[3]
            self._made.setdefault(world, []).append({"id": made["id"], "keys": keys})
        return pieces

    # Finding the operation of a request

    def _understand(self, environ: Mapping[str, Any]) -> Asked | None:
        path: str = environ["PATH_INFO"]
        if not path.startswith("/w/"):
            return None
        _, _, world_id, provider, *_ = path.split("/", 4)
        if provider != self.contract.provider:
            return None
        below = path[len(f"/w/{world_id}/{provider}") :]
        body = environ["wsgi.input"].read()
        environ = {**environ, "wsgi.input": BytesIO(body)}
        operation = None
        if not below.startswith(_STORAGE):
            for prefix in self.contract.behaviour.prefixes:
                match = self.contract.routes.find(environ["REQUEST_METHOD"], below[len(prefix) :])
                if below.startswith(prefix) and match is not None:
                    operation = match.operation
                    break
        return Asked(world_id, operation, below, environ, body)

    def _concerns(self, asked: Asked) -> bool:
        wanted = self.mutant.change.get("of")
        if self.mutant.seam == "money" or wanted == "*":
            return True
        if wanted == "files":
            return asked.path.startswith(_STORAGE)
        return asked.operation is not None and asked.operation.id == wanted

    def _send(self, asked: Asked, **changes: Any) -> MutantAnswer:
        environ = {**asked.environ, **changes}
        environ["wsgi.input"] = BytesIO(changes.get("body", asked.body))
        environ.pop("body", None)
        if "body" in changes:
            environ["CONTENT_LENGTH"] = str(len(changes["body"]))
        started: list[tuple[str, Headers]] = []

        def start(status: str, headers: Headers, _: object = None) -> None:
            started.append((status, list(headers)))

        pieces = self.app(environ, start)
        if not started:  # a generator that has not begun yet
            pieces = list(pieces)
        status, headers = started[-1]
        answered = MutantAnswer(int(status[:3]), headers, pieces)
        # A stream is passed on piece by piece, because reading it moves the clock.
        if not answered.is_stream:
            answered.pieces = list(pieces)
        return answered

    # Credentials

    def _note_key(self, asked: Asked) -> None:
        credential = asked.credential(self.contract)
        known = self._keys.setdefault(asked.world_id, [])
        if credential and credential not in known:
            known.append(credential)

    def _fresh_key(self, asked: Asked) -> dict[str, str]:
        """A valid credential of a new account."""
        assert asked.operation is not None
        name = f"{asked.world_id}/{asked.operation.security}"
        if name not in self._fresh:
            made = MockClient(self.app).control(
                "POST", f"/worlds/{asked.world_id}/accounts", {"provider": self.contract.provider}
            )
            scheme = self.contract.behaviour.credentials[asked.operation.security[0]]
            header, word = scheme.forms[0]
            key = variable_of(header)
            self._fresh[name] = {key: f"{word} {made[scheme.key_kind]}".strip()}
        return self._fresh[name]

    # Requests

    def _request(self, asked: Asked) -> MutantAnswer:
        change = self.mutant.change if self.mutant.seam == "request" else {}
        self._note_key(asked)
        if change.get("early") and _is_broken(asked.body):
            return self._send(asked, **self._fresh_key(asked))
        changes = self._changes(asked, change)
        if change.get("forget"):
            return self._forgotten(asked)
        answered = self._send(asked, **changes)
        if change.get("any_key") and answered.status in {401, 403} and asked.operation:
            answered = self._send(_without_key(asked, self), **self._fresh_key(asked))
        if change.get("any_owner"):
            answered = self._with_another_key(asked, answered)
        if change.get("twice") and answered.status < 300:
            self._send(asked, **changes)
        if change.get("forgive"):
            answered = self._forgiven(asked, answered)
        if change.get("one_key_space"):
            answered = self._shared(asked, answered)
        return answered

    def _changes(self, asked: Asked, change: Mapping[str, Json]) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if "drop" in change or "set" in change:
            changes["body"] = bend_body(
                asked.body, {"drop": change.get("drop", []), "set": change.get("set", {})}
            )
        if "drop_header" in change:
            name = variable_of(change["drop_header"])
            asked.environ.pop(name, None)
        if "query" in change:
            query = dict(parse_qsl(asked.environ.get("QUERY_STRING", "")))
            query |= {name: str(it) for name, it in change["query"].items() if it is not None}
            kept = {n: v for n, v in query.items() if change["query"].get(n, "") is not None}
            changes["QUERY_STRING"] = urlencode(kept)
        return changes

    def _with_another_key(self, asked: Asked, answered: MutantAnswer) -> MutantAnswer:
        """The answer that another account of the same world gets."""
        own = asked.credential(self.contract)
        is_list = answered.status < 300
        if answered.status in {403, 404} or is_list:
            for other in self._keys.get(asked.world_id, []):
                if other == own:
                    continue
                found = self._send(asked, **other)
                if found.status < 300 and (
                    not is_list or len(b"".join(found.pieces)) > len(b"".join(answered.pieces))
                ):
                    return found
        return answered

    def _forgiven(self, asked: Asked, answered: MutantAnswer) -> MutantAnswer:
        assert asked.operation is not None
        name = asked.operation.id
        kind = asked.environ.get("CONTENT_TYPE", "")
        if answered.status < 300:
            self._bodies[name] = asked.body, kind
            return answered
        if answered.status not in {400, 409, 415, 422} or name not in self._bodies:
            return answered
        body, kind = self._bodies[name]
        return self._send(asked, body=body, CONTENT_TYPE=kind, QUERY_STRING="")

    def _shared(self, asked: Asked, answered: MutantAnswer) -> MutantAnswer:
        rules = self.contract.behaviour.idempotency
        assert rules is not None
        value = asked.environ.get(variable_of(rules.header))
        if value is None or answered.status >= 300:
            return answered
        return self._good.setdefault((asked.world_id, value), answered)

    def _forgotten(self, asked: Asked) -> MutantAnswer:
        """The answer of an earlier success of the same operation; the request is not handled."""
        assert asked.operation is not None
        known = self._first_body.get((asked.world_id, asked.operation.id))
        if known is None:
            known = self._send(asked)
            if known.status < 300:
                self._first_body[asked.world_id, asked.operation.id] = known
        return known

    # Answers

    def _reply(self, asked: Asked, answered: MutantAnswer) -> None:
        change = self.mutant.change
        wanted = change.get("status_is")
        if wanted is not None and answered.status != wanted:
            if "like" not in change:
                return
        elif wanted is None and not 200 <= answered.status < 300 and "like" not in change:
            return
        if change.get("like"):
            self._like(asked, answered)
            return
        body = b"".join(answered.pieces)
        if "when" in change and not fits(body, change["when"]):
            return
        number = self._counts[asked.key] = self._counts.get(asked.key, 0) + 1
        if number < change.get("from", 1) or number > change.get("until", number):
            return
        if change.get("freeze"):
            kept = self._frozen.setdefault(asked.key, answered)
            answered.status, answered.headers = kept.status, list(kept.headers)
            answered.pieces = list(kept.pieces)
            return
        self._bend(asked, answered, body)

    def _bend(self, asked: Asked, answered: MutantAnswer, body: bytes) -> None:
        change = self.mutant.change
        if "freeze_fields" in change:
            kept = self._frozen.setdefault(asked.key, answered)
            first = json.loads(b"".join(kept.pieces))
            fields = {at: at_pointer(first, at) for at in change["freeze_fields"]}
            shown = {at: value for at, value in fields.items() if value is not MISSING}
            body = bend_body(body, {"set": shown})
        if answered.header("content-type").startswith("application/json"):
            body = bend_body(body, change)
        if "body" in change:
            body = change["body"].encode()
        if "bytes_cut" in change:
            body = body[: -change["bytes_cut"]]
        if change.get("shrink"):
            body = swapped_size(body)
        answered.pieces = [body]
        answered.status = change.get("status", answered.status)
        for name, value in change.get("header", {}).items():
            answered.set_header(name, value)
        answered.set_header("Content-Length", str(len(body)))

    def _like(self, asked: Asked, answered: MutantAnswer) -> None:
        """Answer an invalid address with the answer to a valid one."""
        key = (asked.world_id, asked.path)
        if answered.status == 200:
            self._good[key] = answered
        elif key in self._good:
            good = self._good[key]
            answered.status, answered.headers = good.status, list(good.headers)
            answered.pieces = list(good.pieces)

    # Money

    def _money(self, asked: Asked, answered: MutantAnswer) -> None:
        change = self.mutant.change
        if asked.operation is None or change["after"] not in {"*", asked.operation.id}:
            self._note_key(asked)
            return
        wanted = change.get("status")
        if answered.status != wanted if wanted is not None else answered.status >= 300:
            return
        if "when" in change and not fits(b"".join(answered.pieces), change["when"]):
            return
        if change.get("once", True) and asked.environ["REQUEST_METHOD"] == "GET":
            if asked.key in self._paid:
                return
            self._paid.add(asked.key)
        account = self._account_of(asked)
        if account is None:
            return
        path = f"/worlds/{asked.world_id}/accounts/{account}"
        client = MockClient(self.app)
        available = client.control("GET", path)["credits"]["available"]
        client.control("PATCH", path, {"credits": max(0, available + change["change"])})

    def _account_of(self, asked: Asked) -> str | None:
        """The account whose credential the request carries."""
        sent = asked.credential(self.contract)
        for line in self._made.get(asked.world_id, []):
            if any(value.endswith(str(key)) for key in line["keys"] for value in sent.values()):
                return str(line["id"])
        return None


def _is_broken(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return True
    return False


def _without_key(asked: Asked, bent: MutantApp) -> Asked:
    """*asked* without its own credential."""
    named = asked.credential(bent.contract)
    environ = {name: value for name, value in asked.environ.items() if name not in named}
    return Asked(asked.world_id, asked.operation, asked.path, environ, asked.body)
