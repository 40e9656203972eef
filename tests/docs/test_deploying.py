"""The examples in `deploy/` use options and paths that exist, and are as safe as the page says."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import pytest
import yaml

from screentest.mock_server.cli.verbs.serve import command
from screentest.specs.contracts.controls import load_controls
from screentest.specs.json_types import Json
from tests.tree import ROOT

_DEPLOY = ROOT / "deploy"
_CONTAINERFILE = (_DEPLOY / "Containerfile").read_text()
_COMPOSE: Json = yaml.safe_load((_DEPLOY / "compose.yaml").read_text())
_KUBERNETES: list[Json] = list(yaml.safe_load_all((_DEPLOY / "kubernetes.yaml").read_text()))
_POD: Json = _KUBERNETES[0]["spec"]["template"]["spec"]
_MOCK: Json = _POD["containers"][0]


def _entry_point() -> list[str]:
    found = re.search(r"^ENTRYPOINT (.*)$", _CONTAINERFILE, re.MULTILINE)
    assert found
    words: list[str] = json.loads(found[1])
    assert words[:2] == ["screentest", "serve"]
    return words[2:]


@pytest.mark.parametrize(
    "further",
    [[], _COMPOSE["services"]["screentest"]["command"], _MOCK["args"]],
    ids=["image", "compose", "kubernetes"],
)
def test_serve_takes_the_arguments_of_the_example(further: Sequence[str]) -> None:
    context = command.make_context("serve", [*_entry_point(), *further])

    assert context.params["host"] == "0.0.0.0"
    assert context.params["log"] == "json"


@pytest.mark.parametrize(
    "arguments", [_COMPOSE["services"]["screentest"]["command"], _MOCK["args"]]
)
def test_webhooks_reach_the_private_network_that_the_containers_are_in(
    arguments: Sequence[str],
) -> None:
    context = command.make_context("serve", [*_entry_point(), *arguments])

    networks = context.params["webhook_networks"]
    assert networks
    assert all(it.is_private for it in networks)


def test_probes_are_open_paths_of_the_control_api() -> None:
    text = "\n".join(path.read_text() for path in sorted(_DEPLOY.iterdir()))
    used = set(re.findall(r"/_screentest(/[a-z]+)", text))

    paths = load_controls().document["paths"]
    is_open = {path for path in used if paths[path]["get"].get("security") == [{}]}
    assert used == {"/health", "/ready", "/metrics"}
    assert is_open == {"/health", "/ready"}
    assert _MOCK["livenessProbe"]["httpGet"]["path"] == "/_screentest/health"
    assert _MOCK["readinessProbe"]["httpGet"]["path"] == "/_screentest/ready"


def test_the_mock_runs_without_privileges_on_a_read_only_file_system() -> None:
    service = _COMPOSE["services"]["screentest"]
    user = re.search(r"^USER (\d+):(\d+)$", _CONTAINERFILE, re.MULTILINE)

    assert user
    assert int(user[1]) == int(user[2]) == _POD["securityContext"]["runAsUser"] > 1_000
    assert _POD["securityContext"]["runAsNonRoot"] is True
    assert _MOCK["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert [it["mountPath"] for it in _MOCK["volumeMounts"]] == ["/tmp"]
    assert (service["read_only"], service["tmpfs"], service["cap_drop"]) == (
        True,
        ["/tmp"],
        ["ALL"],
    )


def test_no_secret_is_an_argument_or_has_a_default() -> None:
    service = _COMPOSE["services"]["screentest"]

    assert set(service["environment"]) == {"SCREENTEST_CONTROL_TOKEN", "PGPASSWORD"}
    assert all(":?" in value for value in service["environment"].values())
    assert all("secretKeyRef" in it["valueFrom"] for it in _MOCK["env"])
    for arguments in (service["command"], _MOCK["args"], _entry_point()):
        assert "--control-token" not in arguments
        assert not any("PASSWORD" in it for it in arguments)


def test_two_replicas_stop_within_the_time_that_they_are_given() -> None:
    service = _COMPOSE["services"]["screentest"]

    assert service["deploy"]["replicas"] == _KUBERNETES[0]["spec"]["replicas"] == 2
    assert service["stop_grace_period"] == "10s"
    assert _POD["terminationGracePeriodSeconds"] >= 10
