"""`serve --upstream`: chosen operations go to a real server, here another mock on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from screentest.specs.json_types import Json

from ..tree import ROOT
from .conftest import Shell, send
from .serving import Served, serving_mock

pytestmark = pytest.mark.long

_LAMP = ROOT / "examples" / "pack" / "screentest_lamp"
_SERVE = ("--contract", str(_LAMP), "--provider", "lamp", "--clock", "manual")


@pytest.fixture
def real(shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The server in the role of the provider's own."""
    other = Shell(tmp_path_factory.mktemp("real"))
    with serving_mock(other, *_SERVE, "--seed", "77") as found:
        yield found


def _upstream(real: Served, budget: int, forward: str = "createVideo,getVideo") -> tuple[str, ...]:
    url = real.env["LAMP_BASE_URL"]
    return (*_SERVE, "--upstream", url, "--forward", forward, "--budget", str(budget))


def _call(
    served: Served, method: str, path: str, body: Json = None, key: str = ""
) -> tuple[int, Json]:
    headers = {"Authorization": f"Bearer {key or served.env['LAMP_API_KEY']}"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    return send(method, served.env["LAMP_BASE_URL"] + path, body, headers)


def _credits(served: Served) -> int:
    _, account = served.control("GET", "/accounts/acct_1")
    return int(account["credits"]["available"])


def test_the_real_server_answers_and_is_paid_with_its_own_key(shell: Shell, real: Served) -> None:
    key = real.env["LAMP_API_KEY"]
    with serving_mock(shell, *_upstream(real, 100), SCREENTEST_UPSTREAM_API_KEY=key) as served:
        made_status, made = _call(served, "POST", "/v1/videos", {"prompt": "a lamp"})
        real.advance(120_000)
        _, video = _call(served, "GET", f"/v1/videos/{made['id']}")
        _, journal = served.control("GET", "/requests")
        here, there = _credits(served), _credits(real)

    assert (made_status, video["status"]) == (201, "complete")
    assert video["url"].startswith(real.url)
    assert (here, there) == (100, 80)
    assert [it["operation"] for it in journal["items"]] == ["createVideo", "getVideo"]
    kept = json.dumps(journal) + "".join(
        (shell.folder / name).read_text() for name in ("out", "err")
    )
    assert key not in kept


def test_a_spent_budget_is_a_402_that_names_it_and_nothing_is_sent(
    shell: Shell, real: Served
) -> None:
    key = real.env["LAMP_API_KEY"]
    with serving_mock(shell, *_upstream(real, 30), SCREENTEST_UPSTREAM_API_KEY=key) as served:
        first, _ = _call(served, "POST", "/v1/videos", {"prompt": "a lamp"})
        second, refused = _call(served, "POST", "/v1/videos", {"prompt": "a lamp"})

    assert (first, second, refused["title"]) == (201, 402, "Budget Spent")
    assert (
        "may cost 20, 10 credits are left, of the 30 that `serve --budget` allows"
        in (refused["detail"])
    )
    assert _credits(real) == 80


def test_other_operations_stay_with_the_mock(shell: Shell, real: Served) -> None:
    key = real.env["LAMP_API_KEY"]
    options = _upstream(real, 100, "getVideo")
    with serving_mock(shell, *options, SCREENTEST_UPSTREAM_API_KEY=key) as served:
        _, made = _call(served, "POST", "/v1/videos", {"prompt": "a lamp"})
        status, _ = _call(served, "GET", f"/v1/videos/{made['id']}")

    assert _credits(real) == 100
    assert status == 404


def test_a_caller_without_a_key_of_the_mock_spends_nothing(shell: Shell, real: Served) -> None:
    key = real.env["LAMP_API_KEY"]
    with serving_mock(shell, *_upstream(real, 100), SCREENTEST_UPSTREAM_API_KEY=key) as served:
        wrong, _ = _call(served, "POST", "/v1/videos", {"prompt": "a lamp"}, key="lamp_wrong")

    assert (wrong, _credits(real)) == (401, 100)


def test_a_server_that_is_gone_is_a_502(shell: Shell, real: Served) -> None:
    key = real.env["LAMP_API_KEY"]
    with serving_mock(shell, *_upstream(real, 100), SCREENTEST_UPSTREAM_API_KEY=key) as served:
        real.stop()
        status, body = _call(served, "POST", "/v1/videos", {"prompt": "a lamp"})

    assert (status, body["title"]) == (502, "Upstream Unreachable")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--forward", "createVideo"), "--upstream and --forward need each other"),
        (
            ("--upstream", "http://127.0.0.1:9", "--forward", "createVid"),
            "did you mean 'createVideo'?",
        ),
        (
            ("--upstream", "http://127.0.0.1:9", "--forward", "createVideo"),
            "set SCREENTEST_UPSTREAM_API_KEY",
        ),
        (
            ("--upstream", "https://api.lamp.example", "--forward", "getVideo"),
            "Add --live if you mean it",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused_before_the_port_opens(
    shell: Shell, words: tuple[str, ...], problem: str
) -> None:
    answer = shell.run("serve", "--port", "0", *_SERVE, *words)

    assert (answer.code, problem in answer.err) == (2, True), answer.err


def test_what_has_no_price_cannot_be_forwarded(shell: Shell) -> None:
    bare = Path(shell.folder, "openapi.yaml")
    bare.write_text((_LAMP / "openapi.yaml").read_text())
    words = ("--upstream", "http://127.0.0.1:9", "--forward", "createVideo")

    answer = shell.run(
        "serve", "--port", "0", "--contract", str(bare), "--provider", "lamp_video", *words
    )

    assert answer.code == 2
    assert "createVideo: the contract names no price for it" in answer.err
