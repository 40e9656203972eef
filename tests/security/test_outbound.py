"""S09: the allowed webhook targets. Each test is named after its requirement."""

from __future__ import annotations

from pathlib import Path

import pytest
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.mock_server.http.webhook_targets import Targets, read_network
from screentest.specs.json_types import Json
from tests.cli.conftest import Shell
from tests.cli.serving import serving_mock
from tests.http.receiver import receiving
from tests.mock_client import Answer, make_world
from tests.ugc_copilot import steps as ugc

#: An address range for documentation. No packet is sent there.
_ELSEWHERE = "http://203.0.113.7:9000/hook"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def _endpoint(url: str) -> Json:
    return {"provider": "ugc_copilot", "url": url}


@pytest.mark.long
def test_s09_network_elsewhere_is_refused_until_it_is_allowed(shell: Shell) -> None:
    detail: list[int] = []
    for words in ([], ["--webhook-allow", "198.51.100.9", "--webhook-allow", "203.0.113.0/24"]):
        (shell.folder / "ready.json").unlink(missing_ok=True)
        with serving_mock(shell, *words) as served:
            detail.append(served.control("POST", "/webhooks/endpoints", _endpoint(_ELSEWHERE))[0])

    assert detail == [422, 201]


@pytest.mark.long
def test_s09_network_can_be_allowed_by_variable_or_file(shell: Shell) -> None:
    (shell.folder / "pyproject.toml").write_text(
        '[tool.screentest]\nwebhook-allow = ["203.0.113.0/24"]\n'
    )
    by_file = shell.run("config", "--json").json
    by_variable = shell.run("config", "--json", SCREENTEST_WEBHOOK_ALLOW="198.51.100.9").json
    with serving_mock(shell) as served:
        status, _ = served.control("POST", "/webhooks/endpoints", _endpoint(_ELSEWHERE))

    (value,) = (it["value"] for it in by_file if it["name"] == "webhook-allow")
    (other,) = (it["value"] for it in by_variable if it["name"] == "webhook-allow")
    assert (value, other, status) == (["203.0.113.0/24"], "198.51.100.9", 201)


@pytest.mark.parametrize(
    "network",
    [
        "169.254.0.0/16",
        "169.254.169.254",
        "fe80::/10",
        "fe80::1",
        "168.63.129.16",
        "100.100.100.200/32",
        "192.0.0.192",
        "fd00:ec2::254",
        "224.0.0.0/4",
        "255.255.255.255",
        "0.0.0.0",
        "::",
    ],
)
def test_s09_link_local_and_metadata_addresses_cannot_be_allowed(
    shell: Shell, network: str
) -> None:
    refused = shell.run("serve", "--port", "0", "--webhook-allow", network)

    assert (refused.code, refused.out) == (2, "")
    assert "cannot be opened: no webhook is ever sent to" in refused.err
    assert len(refused.err.splitlines()) == 1


@pytest.mark.parametrize(
    "network", ["", "everything", "203.0.113.1/24", "203.0.113.0/33", "::/129"]
)
def test_s09_invalid_network_is_refused_with_an_example(shell: Shell, network: str) -> None:
    refused = shell.run("serve", "--port", "0", "--webhook-allow", network)

    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith(f"error: {network!r} is not a network to send webhooks to (")
    assert refused.err.endswith("write an address, or one like 203.0.113.0/24\n")


def test_s09_allowing_everything_still_leaves_what_is_never_sent_to(shell: Shell) -> None:
    urls = [
        "http://169.254.169.254/latest",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
    ]
    with serving_mock(shell, "--webhook-allow", "0.0.0.0/0", "--webhook-allow", "::/0") as served:
        detail = [served.control("POST", "/webhooks/endpoints", _endpoint(url)) for url in urls]
        own, _ = served.control("POST", "/webhooks/endpoints", _endpoint(f"{served.url}/hook"))

    assert [status for status, _ in detail] == [422, 422, 422]
    assert {body["code"] for _, body in detail} == {"target"}
    assert own == 422


def test_s09_mock_that_others_can_reach_sends_home_only_where_it_is_allowed() -> None:
    def register(targets: Targets, url: str) -> Answer:
        world = make_world(WsgiClient(create_app(targets=targets)))
        account = world.account("ugc_copilot")
        body = {**_endpoint(url), "account": account.id}
        answer = world.control.post(f"{world.path}/webhooks/endpoints", json=body)
        ugc.start(account)
        world.advance_until_idle()
        return answer

    with receiving() as receiver:
        refused = register(Targets(is_exposed=True), receiver.url)
        before = list(receiver.received)
        allowed = (read_network("127.0.0.0/8"),)
        opened = register(Targets(is_exposed=True, allowed=allowed), receiver.url)
        (request,) = receiver.wait_for(1)

    assert (refused.status, refused.json()["code"], before) == (422, "target", [])
    assert (opened.status, request.path) == (201, "/hook")
