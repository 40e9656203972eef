"""Settings: where they come from, which is stronger, and what a file may say."""

from __future__ import annotations

import subprocess
import sys

import pytest

from .conftest import Shell

_CLOSED = "http://127.0.0.1:9"


def test_settings_come_from_the_nearest_pyproject_upwards(shell: Shell) -> None:
    (shell.folder / "pyproject.toml").write_text("[tool.screentest]\nport = 9100\nseed = 4\n")
    below = shell.folder / "deep" / "down"
    below.mkdir(parents=True)

    shown = Shell(below).run("config", "--json", SCREENTEST_SEED="9").json

    by_name = {it["name"]: (it["value"], it["source"]) for it in shown}
    assert by_name["port"] == (9100, str(shell.folder / "pyproject.toml"))
    assert by_name["seed"] == ("9", "SCREENTEST_SEED")
    assert by_name["clock"] == ("real", "default")


def test_flag_beats_variable_beats_file(shell: Shell) -> None:
    (shell.folder / "pyproject.toml").write_text('[tool.screentest]\nurl = "http://127.0.0.1:7"\n')

    from_file = shell.run("clock")
    from_variable = shell.run("clock", SCREENTEST_URL="http://127.0.0.1:8")
    from_flag = shell.run("clock", "--url", _CLOSED, SCREENTEST_URL="http://127.0.0.1:8")

    detail = [it.err.split(": ")[1] for it in (from_file, from_variable, from_flag)]
    assert detail == [
        "no mock at http://127.0.0.1:7",
        "no mock at http://127.0.0.1:8",
        "no mock at http://127.0.0.1:9",
    ]


@pytest.mark.parametrize(
    ("table", "detail"),
    [
        ("prot = 1", "[tool.screentest] has no key 'prot'; did you mean 'port'?"),
        ('port = "x"', "[tool.screentest] port: expected a whole number, got 'x'"),
        ("port = true", "[tool.screentest] port: expected a whole number, got True"),
        ("provider = 'ozor'", "[tool.screentest] provider: expected a list of strings, got 'ozor'"),
        ("provider = [1]", "[tool.screentest] provider: expected a list of strings, got [1]"),
        ("pure = 1", "[tool.screentest] pure: expected true or false, got 1"),
        ("port = ", "is not TOML"),
        ("port = 70000", "pyproject.toml: [tool.screentest] port: 70000 is not in the range"),
        ("seed = -1", "[tool.screentest] seed: -1 is not in the range"),
        ('clock = "foo"', "pyproject.toml: [tool.screentest] clock: clock 'foo' must be one of re"),
        ('pace = "slow"', "[tool.screentest] pace: pace 'slow' must be one of documented, fast"),
        ('fail-on = "x"', "fail-on: 'x' is not one of 'never', 'error', 'warning'"),
    ],
)
@pytest.mark.parametrize("verb", ["clock", "config", "serve"])
def test_wrong_setting_is_exit_code_4(shell: Shell, table: str, detail: str, verb: str) -> None:
    (shell.folder / "pyproject.toml").write_text(f"[tool.screentest]\n{table}\n")

    answer = shell.run(verb)

    assert (answer.code, answer.out) == (4, "")
    assert detail in answer.err
    assert len(answer.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("tool.screentest = 3", "tool.screentest: expected a table, got 3"),
        ("[[tool.screentest]]\nport = 1", "tool.screentest: expected a table, got [{'port': 1}]"),
        ("[tool]\nscreentest = {port = 'x'}", "port: expected a whole number, got 'x'"),
        ("[tool.'screentest']\nport = 'x'", "port: expected a whole number, got 'x'"),
        ("x = " + "[" * 5_000 + "\n[tool.screentest]", "is nested too deeply"),
    ],
    ids=["number", "array", "inline", "quoted", "deep"],
)
def test_settings_in_any_spelling_of_toml_are_looked_at(
    shell: Shell, text: str, detail: str
) -> None:
    (shell.folder / "pyproject.toml").write_text(text)

    answer = shell.run("clock")

    assert (answer.code, answer.out) == (4, "")
    assert answer.err.endswith(f"{detail}\n")


def test_folder_that_is_gone_has_no_settings(shell: Shell) -> None:
    script = f"cd gone && rmdir ../gone && {sys.executable} -P -m screentest.mock_server.cli config"
    (shell.folder / "gone").mkdir()

    done = subprocess.run(
        ["bash", "-c", script], cwd=shell.folder, capture_output=True, text=True, check=False
    )

    order = "first source that has a value: option, variable, pyproject.toml, default\n"
    assert (done.returncode, done.stderr) == (0, order)
    assert "port           8787                   default\n" in done.stdout
