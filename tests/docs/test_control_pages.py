"""The pages about the control API and the limits say what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.write_control_api import CONTRACT, PAGE, contract_text, page

from screentest.mock_server.engine import accounts, keys, outbox, worlds
from screentest.mock_server.http import delivery, guard, sse, transport
from screentest.mock_server.http.control import events, jobs, request
from screentest.mock_server.http.rsgi import bodies, server
from screentest.mock_server.kernel import clock, snapshots, webhooks
from screentest.mock_server.pipeline import journal, remembered
from screentest.mock_server.store import history_tables, retention

_LIMITS = Path(PAGE).with_name("limits.md")


def test_contract_of_the_control_api_has_every_type_of_fault() -> None:
    """`python -m tools.write_control_api` writes them."""
    assert CONTRACT.read_text(encoding="utf-8") == contract_text()


def test_page_of_the_control_api_is_written_from_its_contract() -> None:
    """`python -m tools.write_control_api` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize(
    ("row", "limit"),
    [
        ("worlds of a process", worlds.WORLDS_MAX),
        ("accounts of a world", accounts.ACCOUNTS_MAX),
        ("active keys of an account", keys.KEYS_MAX),
        ("resources and jobs that a process keeps", retention.KEEP_DEFAULT),
        ("faults of a world", jobs.FAULTS_MAX),
        ("snapshots of a world", snapshots.SNAPSHOTS_MAX),
        ("size of a snapshot", snapshots.SNAPSHOT_BYTES_MAX),
        ("requests kept of a world", history_tables.JOURNAL_MAX),
        ("bytes kept of a request's body", journal.BODY_EXCERPT_MAX),
        ("events kept of a world", history_tables.EVENTS_MAX),
        ("deliveries kept of a world", outbox.DELIVERIES_MAX),
        ("attempts kept of a delivery", webhooks.ATTEMPTS_KEPT_MAX),
        ("body of a control call", request.BODY_BYTES_MAX),
        ("time in which a body must arrive", int(bodies.BODY_S_MAX)),
        ("bytes of bodies that arrive at the same time", bodies.BODIES_BYTES_MAX),
        ("bytes that are read of a body after its refusal", bodies.DRAIN_BYTES_MAX),
        ("requests that are open at the same time", server.REQUESTS_MAX),
        ("answers to polls that a world keeps for reuse", remembered.KEPT_MAX),
        ("time for open calls when the server stops", int(server.DRAIN_S_MAX)),
        ("open streams of providers", sse.STREAMS_MAX),
        ("open or waiting calls for events", events.WATCHERS_MAX),
        ("life of a stream", int(sse.STREAM_S_MAX)),
        ("one advance of a clock", clock.ADVANCE_MAX_MS),
        ("events in one advance", clock.FIRES_PER_ADVANCE_MAX),
        ("deliveries that are being sent", delivery.IN_FLIGHT_MAX),
        ("bytes read of a receiver's answer", transport.READ_BYTES_MAX),
        ("length of a URL", guard.URL_LENGTH_MAX),
        ("length of all headers", guard.HEADERS_LENGTH_MAX),
        ("wrong control tokens of one peer", guard.WRONG_TOKENS_MAX),
    ],
)
def test_limit_is_in_the_table(row: str, limit: int) -> None:
    lines = [it for it in _LIMITS.read_text(encoding="utf-8").splitlines() if it.startswith("|")]

    (found,) = [it for it in lines if it.startswith(f"| {row} |")]

    assert f"{limit:,}" in found
