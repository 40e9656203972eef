"""Calls that the contract does not have. A refusal is right; any other answer is drift.

This is for recordings, where a program needed the call. Our own scenarios send unknown calls on
purpose, to see them refused.
"""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import urlsplit

from screentest.specs.contracts.contract import Contract

from ..rules import rule_ids
from ..rules.judge import Judge
from ..traces.trace import Event, Exchange

_ADDRESS = re.compile(rb"""https?://[^\s"'\\<>]+""")
#: Statuses that do not show whether there is such a call.
_SILENT = frozenset({401, 403, 429})


class Undocumented:
    """Judges `route.unknown` and `route.method` on the requests of a recording.

    *seen* counts the calls that the contract does not have, including those rightly refused.
    """

    def __init__(self, contract: Contract, judge: Judge) -> None:
        self._contract = contract
        self._judge = judge
        self._roots = {_first_step(path) for path in contract.routes.paths}
        self._handed_out: set[str] = set()
        self.seen: Counter[str] = Counter()

    def see(self, event: Event) -> None:
        if not isinstance(event, Exchange):
            return
        if event.operation:
            self._handed_out |= addresses_in(event.body, event.content_type)
        elif not self.why_no_call(event):
            self.seen[event.line] += 1
            self._judge_call(event)

    def why_no_call(self, exchange: Exchange) -> str:
        """The class of an exchange that is not an API call; empty if it may be one."""
        if exchange.method == "OPTIONS":
            return "preflights of browsers"
        if 300 <= exchange.status < 400:
            return "redirects"
        if exchange.path in self._handed_out:
            return "files that answers point to"
        is_json = "json" in exchange.content_type or "json" in exchange.request_headers.get(
            "content-type", ""
        )
        is_read = exchange.method in {"GET", "HEAD"}
        if is_read and not is_json and _first_step(self._bare(exchange.path)) not in self._roots:
            return "pages and files"
        return ""

    def _bare(self, path: str) -> str:
        """*path* without the provider's prefix."""
        for prefix in self._contract.behaviour.prefixes:
            if path.startswith(f"{prefix}/"):
                return path[len(prefix) :]
        return path

    def _judge_call(self, exchange: Exchange) -> None:
        if exchange.status in _SILENT or exchange.status >= 500:
            return
        methods = self._contract.routes.methods(self._bare(exchange.path))
        reason = "wrong_method" if methods else "unknown_route"
        refusal = self._contract.behaviour.refusals.get(reason)
        refused = {404, 405, 410} | ({refusal.status} if refusal is not None else set())
        known = f" (there are: {', '.join(methods)})" if methods else ""
        detail = f"it was answered {exchange.status}, and no document has it{known}"
        rule = rule_ids.route("method") if methods else rule_ids.route("unknown")
        self._judge.check_optional(rule, detail, exchange, holds=exchange.status in refused)


def addresses_in(body: bytes, content_type: str) -> set[str]:
    """The paths of the absolute addresses in a JSON *body*."""
    if "json" not in content_type:
        return set()
    found: set[str] = set()
    for address in _ADDRESS.findall(body):
        try:
            found.add(urlsplit(address.decode("utf-8", "replace")).path)
        except ValueError:
            continue
    return found


def _first_step(path: str) -> str:
    return path.lstrip("/").partition("/")[0]
