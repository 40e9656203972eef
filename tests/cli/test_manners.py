"""What every verb has in common: streams, exit codes, colours, settings, errors in one line."""

from __future__ import annotations

import re
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from screentest.mock_server.cli.client import CONTROL_VERSION
from screentest.mock_server.cli.settings import OTHER_VARIABLES, SETTINGS
from screentest.specs.contracts.controls import load_controls
from tests.loopback import listening
from tests.tree import ROOT

from .conftest import Shell, World

_UNUSED_PORT = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    "words",
    [
        ("clock",),
        ("clock", "advance", "1s"),
        ("jobs",),
        ("credits",),
        ("fault",),
        ("env",),
        ("fault", "types"),
        ("webhooks",),
        ("explain",),
        ("explain", "SC102"),
        ("config",),
        ("spec", "list"),
        ("spec", "lint"),
        ("doctor",),
        ("--version",),
        ("fault", "clear"),
        ("snapshot", "save", "world.jsonl"),
    ],
    ids=" ".join,
)
def test_json_is_exactly_one_document_on_stdout(world: World, words: tuple[str, ...]) -> None:
    answer = world.run(*words, "--json")

    assert answer.code == 0, answer.err
    assert answer.json is not None


@pytest.mark.parametrize(
    "words",
    [
        ("clock",),
        ("jobs",),
        ("credits",),
        ("fault",),
        ("env",),
        ("logs",),
        ("webhooks",),
        ("trigger", "ozor", "completed"),
    ],
    ids=" ".join,
)
def test_mock_that_cannot_be_reached_is_exit_code_3(shell: Shell, words: tuple[str, ...]) -> None:
    answer = shell.run(*words, "--url", _UNUSED_PORT)

    assert (answer.code, answer.out) == (3, "")
    # The number of the error is another one on each system.
    assert re.fullmatch(
        r"error: no mock at http://127\.0\.0\.1:9: \[Errno \d+\] Connection refused\n"
        r"hint: start one with `screentest serve`, or give --url or SCREENTEST_URL\n",
        answer.err,
    )


@pytest.mark.parametrize(
    ("words", "detail"),
    [
        (("srve",), "error: no command 'srve'; did you mean 'serve'?"),
        (("clock", "advanse"), "error: no command 'advanse'; did you mean 'advance'?"),
        (
            ("serve", "--clock", "fast"),
            "error: clock 'fast' must be one of real, manual, warp, auto, system, or real:SPEED",
        ),
        (
            ("serve", "--port", "x"),
            "error: Invalid value for '--port': 'x' is not a valid integer range",
        ),
        (
            ("serve", "--port", "70000"),
            "error: Invalid value for '--port': 70000 is not in the range 0<=x<=65535",
        ),
        (
            ("serve", "--seed", "9007199254740992"),
            "error: Invalid value for '--seed': 9007199254740992 is not in the range "
            "0<=x<=9007199254740991",
        ),
        (
            ("run", "--seed", "-1", "--", "true"),
            "error: Invalid value for '--seed': -1 is not in the range 0<=x<=9007199254740991",
        ),
        (
            ("clock", "speed", "nan"),
            "error: Invalid value for 'FACTOR': 'nan' is not a finite number",
        ),
        (
            ("clock", "speed", "inf"),
            "error: Invalid value for 'FACTOR': 'inf' is not a finite number",
        ),
        (("clock", "speed", "-2"), "error: FACTOR must be a number above 0"),
        (
            ("fault", "add", "http_error", "--probability", "nan"),
            "error: Invalid value for '--probability': 'nan' is not a finite number",
        ),
        (
            ("verify", "ozor", "--time-scale", "inf"),
            "error: Invalid value for '--time-scale': 'inf' is not a finite number",
        ),
        (
            ("clock", "advance", "-1h30m"),
            "error: HOW_FAR must not be negative: a clock moves forward",
        ),
        (
            ("clock", "advance", "401d"),
            "error: cannot advance by '401d': a clock moves at most 400 days at a time",
        ),
        (("credits", "set", "ozor", "-1"), "error: AMOUNT must be a number of credits, 0 or more"),
        (("credits", "set", "ozor", "-x"), "error: No such option '-x'"),
        (("snapshot", "save", ""), "error: expected the name of a file, got an empty string"),
        (
            ("serve", "--provider", "kling"),
            "error: no provider 'kling' (there are: oshara, ozor, ugc_copilot, ulazai, znapai)",
        ),
        (
            ("serve", "--provider", "ozr"),
            "error: no provider 'ozr'; did you mean 'ozor'? "
            "(there are: oshara, ozor, ugc_copilot, ulazai, znapai)",
        ),
        (
            ("serve", "--db", "/nowhere/mock.db"),
            "error: cannot write /nowhere/mock.db: its folder does not exist",
        ),
        (("serve", "--db", "/"), "error: cannot write /: it is a folder"),
        (("serve", "--db", ""), "error: expected the name of a file, got an empty string"),
        (("serve", "--ready-file", ""), "error: expected the name of a file, got an empty string"),
        (
            ("serve", "--host", ""),
            "error: --host must be an address or a name, not an empty string",
        ),
        (
            ("serve", "--control-token", "sésame-ouvre-toi-vite"),
            "error: --control-token must be printable ASCII, which a header can carry",
        ),
        (("snapshot", "restore", ""), "error: expected the name of a file, got an empty string"),
        (("snapshot", "restore", "/"), "error: cannot read /: it is a folder"),
        (("check-har", "ozor", "/"), "error: cannot read /: it is a folder"),
        (
            ("diff", "ozor", "none.har", "none.har"),
            "error: cannot read none.har: the file does not exist",
        ),
        (("webhooks", "listen"), "error: Missing argument 'PROVIDER'"),
        (
            ("webhooks", "listen", "ugc_copilot", "--port", "99999"),
            "error: Invalid value for '--port': 99999 is not in the range 0<=x<=65535",
        ),
        (
            ("webhooks", "listen", "ugc_copilot", "--forward-to", "localhost:3000"),
            "error: 'localhost:3000' is not a target for webhooks; "
            "write one like http://127.0.0.1:9000/hook",
        ),
        (
            ("webhooks", "listen", "ugc_copilot", "--forward-to", "file:///etc/passwd"),
            "error: 'file:///etc/passwd' is not a target for webhooks; "
            "write one like http://127.0.0.1:9000/hook",
        ),
        (("trigger", "ozor"), "error: Missing argument 'EVENT'"),
        (
            ("trigger", "ozor", "exploded"),
            "error: no event 'exploded' (there are: completed, failed)",
        ),
        (
            ("completion",),
            "error: Missing argument '{bash|zsh|fish}'. Choose from: bash, zsh, fish",
        ),
        (
            ("completion", "tcsh"),
            "error: Invalid value for '{bash|zsh|fish}': "
            "'tcsh' is not one of 'bash', 'zsh', 'fish'",
        ),
        (("doctor", "extra"), "error: Got unexpected extra argument (extra)"),
        (
            ("spec", "lint", "nowhere"),
            "error: no provider or folder 'nowhere' "
            "(there are: oshara, ozor, ugc_copilot, ulazai, znapai)",
        ),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, tuple) else "",
)
def test_slip_is_exit_code_2_with_one_line_and_a_hint(
    shell: Shell, words: tuple[str, ...], detail: str
) -> None:
    answer = shell.run(*words)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.splitlines()[0] == detail
    assert len(answer.err.splitlines()) <= 2


@pytest.mark.parametrize(
    "words",
    [
        ("verify", "ozr"),
        ("plan", "ozr"),
        ("check-har", "ozr", __file__),
        ("replay", "ozr", __file__),
        ("diff", "ozr", __file__, __file__),
        ("serve", "--provider", "ozr"),
        ("record", "ozr", "--url", _UNUSED_PORT, "--output", "x"),
        ("run", "--provider", "ozr", "--", "true"),
        ("trigger", "ozr", "completed"),
        ("trigger", "ozr", "completed", "--job", "job_1"),
        ("credits", "set", "ozr", "1"),
        ("credits", "set", "ozr", "1", "--account", "acct_1"),
        ("credits", "--provider", "ozr"),
        ("credits", "--provider", "ozr", "--account", "acct_1"),
        ("jobs", "--provider", "ozr"),
        ("logs", "--provider", "ozr"),
        ("webhooks", "listen", "ozr"),
        ("fault", "add", "http_error", "--provider", "ozr"),
    ],
    ids=lambda it: " ".join(it).replace(__file__, "FILE"),
)
def test_misspelt_provider_is_one_line_with_the_nearest(
    world: World, words: tuple[str, ...]
) -> None:
    answer = world.run(*words)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "error: no provider 'ozr'; did you mean 'ozor'? "
        "(there are: oshara, ozor, ugc_copilot, ulazai, znapai)\n"
    )


@pytest.mark.parametrize(
    "words",
    [
        ("verify", "OZOR"),
        ("credits", "--provider", "OZOR"),
        ("jobs", "--provider", "OZOR"),
        ("logs", "--provider", "OZOR"),
        ("webhooks", "listen", "OZOR"),
        ("fault", "add", "http_error", "--provider", "OZOR"),
        ("trigger", "OZOR", "failed"),
    ],
    ids=" ".join,
)
def test_provider_in_capitals_is_the_nearest_too(world: World, words: tuple[str, ...]) -> None:
    answer = world.run(*words)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "error: no provider 'OZOR'; did you mean 'ozor'? "
        "(there are: oshara, ozor, ugc_copilot, ulazai, znapai)\n"
    )


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1",
        "http://",
        "http://exa mple",
        "nonsense",
        "http://127.0.0.1:x",
        "http://127.0.0.1:99999",
        "http://[::1",
        "file:///etc/passwd",
    ],
)
def test_invalid_address_is_exit_code_2_with_a_hint(shell: Shell, url: str) -> None:
    """None of them is opened: a library would read files, too."""
    answer = shell.run("jobs", "--url", url)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        f"error: {url!r} is not the address of a mock; write it like http://127.0.0.1:8787\n"
    )


def test_verbs_look_for_the_mock_where_the_settings_let_it_listen(shell: Shell) -> None:
    (shell.folder / "pyproject.toml").write_text("[tool.screentest]\nport = 9\n")

    from_file = shell.run("clock")
    from_variable = shell.run("clock", SCREENTEST_PORT="7", SCREENTEST_HOST="0.0.0.0")
    shown = {it["name"]: it for it in shell.run("config", "--json").json}

    detail = [it.err.split(": ")[1] for it in (from_file, from_variable)]
    assert detail == ["no mock at http://127.0.0.1:9", "no mock at http://127.0.0.1:7"]
    assert (shown["url"]["value"], shown["url"]["source"]) == (_UNUSED_PORT, "host and port")


def test_variable_that_nothing_reads_is_warned_of_with_the_nearest(shell: Shell) -> None:
    answer = shell.run("config", "--json", SCREENTEST_CLOK="manual", SCREENTEST_ZEBRA="1")

    assert answer.code == 0
    assert sorted(answer.err.splitlines()) == [
        "warning: nothing reads SCREENTEST_CLOK; did you mean SCREENTEST_CLOCK?",
        "warning: nothing reads SCREENTEST_ZEBRA",
    ]
    assert answer.json[0]["name"] == "host"


def test_every_variable_that_is_read_anywhere_is_known() -> None:
    """One that was forgotten would be warned of, although it does what it says."""
    folders = (ROOT / it for it in ("mock_server", "contract_tests", "fixtures", "specs"))
    texts = [it.read_text(encoding="utf-8") for folder in folders for it in folder.rglob("*.py")]
    named = {it for text in texts for it in re.findall(r"\bSCREENTEST_[A-Z_]+[A-Z]\b", text)}

    known = OTHER_VARIABLES | {it.variable for it in SETTINGS.values()}

    assert named - known == set()
    assert {"SCREENTEST_BUDGET", "SCREENTEST_CONTROL_TOKEN", "SCREENTEST_DB"} <= named


def test_json_of_no_verb_is_a_slip(shell: Shell) -> None:
    answer = shell.run("--json", "jobs")

    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("error: --json belongs after the verb, such as: screentest jobs")


_SKEW = "version '2' of the control API, and this screentest speaks 1; install the same screentest"


@pytest.mark.parametrize(
    ("status", "version", "body", "detail"),
    [
        ("200 OK", "", b"{}", "that server is not a screentest mock"),
        ("200 OK", "", b"<h1>Hello</h1>", "that server is not a screentest mock"),
        ("200 OK", "", b"[" * 100_000, "that server is not a screentest mock"),
        ("404 Not Found", "", b"{}", "that server is not a screentest mock; it answered 404"),
        ("500 Oops", "", b"[" * 100_000, "that server is not a screentest mock; it answered 500"),
        ("200 OK", "2", b"{}", f"that mock has {_SKEW} for both"),
        ("404 Not Found", "2", b"{}", f"that mock has {_SKEW} for both"),
        ("200 OK", "1", b'{"items": [', "its answer is cut off or damaged"),
        ("200 OK", "1", b"[" * 100_000, "its answer is cut off or damaged"),
    ],
    ids=["object", "page", "deep", "404", "500", "newer", "newer 404", "cut", "deep mock"],
)
def test_server_other_than_a_mock_of_this_version_is_exit_code_3_with_a_hint(
    shell: Shell, status: str, version: str, body: bytes, detail: str
) -> None:
    def another(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        headers = [("X-Screentest-Control", version)] if version else []
        start(status, [("Content-Type", "application/json"), *headers])
        return [body]

    with listening(another) as port:
        answer = shell.run("jobs", "--url", f"http://127.0.0.1:{port}")
        looked = shell.run("doctor", "--url", f"http://127.0.0.1:{port}")

    assert (answer.code, answer.out) == (3, "")
    assert answer.err == (
        f"error: no mock at http://127.0.0.1:{port}: {detail}\n"
        "hint: start one with `screentest serve`, or give --url or SCREENTEST_URL\n"
    )
    assert f"ok    no mock runs at http://127.0.0.1:{port}: {detail}" in looked.out


def test_version_that_verbs_speak_is_that_of_the_control_api() -> None:
    assert load_controls().document["info"]["version"] == CONTROL_VERSION


def test_token_that_no_header_can_carry_is_refused_without_showing_it(shell: Shell) -> None:
    answer = shell.run("jobs", SCREENTEST_CONTROL_TOKEN="sésame\nouvre-toi")

    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "error: SCREENTEST_CONTROL_TOKEN has characters that no header can carry\n"
    )


def test_broken_contract_file_is_exit_code_4_with_one_line(shell: Shell) -> None:
    folder = shell.folder / "lamp"
    folder.mkdir()
    (folder / "behaviour.yaml").write_text("behaviour: [1\n")
    (folder / "openapi.yaml").write_text("openapi: 3.1.0\npaths: {}\n")

    answer = shell.run("spec", "lint", "lamp")

    assert (answer.code, answer.out) == (4, "")
    first, last = answer.err.splitlines()
    assert first.startswith("error: lamp/behaviour.yaml:2: this is not YAML: ")
    assert last == "1 checked, 1 invalid"


def test_contracts_of_the_house_are_in_order(shell: Shell) -> None:
    answer = shell.run("spec", "lint")

    assert (answer.code, answer.err) == (0, "5 checked, 0 invalid\n")


def test_colour_is_for_terminals_unless_it_is_forced(world: World) -> None:
    world.send("GET", "/api/v1/videos")

    piped = world.shell.run("logs")
    forced = world.shell.run("logs", FORCE_COLOR="1")
    forbidden = world.shell.run("logs", FORCE_COLOR="1", NO_COLOR="1")

    assert "\x1b[" not in piped.out
    assert "\x1b[32m200\x1b[0m" in forced.out
    assert "\x1b[" not in forbidden.out


def test_escapes_that_a_client_sent_do_not_reach_the_terminal(world: World) -> None:
    world.send("GET", "/api/v1/%1b%5b2Jvideos%0d%0aforged")

    shown = world.run("logs")

    assert "\x1b" not in shown.out
    assert "\\x1b[2Jvideos\\x0d\\x0aforged" in shown.out


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_each_shell(shell: Shell, shell_name: str) -> None:
    answer = shell.run("completion", shell_name)

    assert answer.code == 0
    assert "_SCREENTEST_COMPLETE" in answer.out


def test_shell_asks_for_words_and_gets_them(shell: Shell) -> None:
    asked = {
        "_SCREENTEST_COMPLETE": "bash_complete",
        "COMP_WORDS": "screentest cl",
        "COMP_CWORD": "1",
    }

    answer = shell.run(**asked)

    assert answer.out == "plain,clock\n"


def test_doctor_fails_for_a_key_that_looks_real(shell: Shell) -> None:
    key = "sk_" + "live_" + "0123456789abcdef" * 2

    answer = shell.run("doctor", SOME_API_KEY=key)

    assert answer.code == 1
    assert "SOME_API_KEY seems to contain a real key (sk_l…)" in answer.out
    assert key not in answer.out + answer.err
