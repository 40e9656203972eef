"""`screentest run -- CMD`: a mock of its own for any command, from an empty folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from xml.etree import ElementTree

import pytest

from .conftest import Shell, read_when_there

_NODE = """
const answer = await fetch(process.env.OZOR_BASE_URL + "/api/v1/videos/generate", {
  method: "POST",
  headers: { "X-API-Key": process.env.OZOR_API_KEY, "Content-Type": "application/json" },
  body: JSON.stringify({ prompt: "A lamp" }),
});
console.log(answer.status, (await answer.json()).status);
"""
_PYTEST = """
import json, os, urllib.request

def test_a_job_is_accepted():
    body = json.dumps({"prompt": "A lamp"}).encode()
    headers = {"X-API-Key": os.environ["OZOR_API_KEY"], "Content-Type": "application/json"}
    url = os.environ["OZOR_BASE_URL"] + "/api/v1/videos/generate"
    answer = urllib.request.urlopen(urllib.request.Request(url, body, headers))
    assert json.load(answer)["status"] == "pending"
"""
_CALL_A_WRONG_PATH = """
import os, urllib.request, urllib.error
try:
    urllib.request.urlopen(os.environ["OZOR_BASE_URL"] + "/api/v1/vidoes")
except urllib.error.HTTPError:
    pass
"""
_PAY_FOR_NOTHING_AND_BELIEVE_A_FORGED_SIGNATURE = """
import json, os, threading, urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
    def log_message(self, *_): pass
server = HTTPServer(("127.0.0.1", 0), Hook)
threading.Thread(target=server.serve_forever, daemon=True).start()
control = os.environ["SCREENTEST_URL"] + "/_screentest/worlds"
def call(url, body, method="POST", **headers):
    headers["Content-Type"] = "application/json"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
    text = urllib.request.urlopen(request).read()
    return json.loads(text) if text else None
world = call(control, {"clock": {"mode": "manual"}})
mine, ugc = control + "/" + world["id"], world["providers"]["ugc_copilot"]
hook = {"provider": "ugc_copilot", "url": f"http://127.0.0.1:{server.server_port}/"}
call(mine + "/webhooks/endpoints", hook)
call(mine + "/faults", {"type": "webhook_bad_signature"})
scene = {"visualPrompt": "A mug", "scriptText": "Look"}
call(ugc["base_url"] + "/proxyStartVideoGeneration", {"data": {"engine": "sora", "scene": scene}},
     Authorization="Bearer " + ugc["account"]["api_key"])
ozor = world["providers"]["ozor"]
key = {"X-API-Key": ozor["account"]["api_key"]}
call(ozor["base_url"] + "/api/v1/videos/generate", {"prompt": "A lamp"}, **key)
call(mine + "/clock/advance", {"until": "idle"})
urllib.request.urlopen(urllib.request.Request(mine, method="DELETE"))
"""
_WAIT = """
import json, os, pathlib, signal, sys, time
def leave(number, frame):
    sys.exit(40 + number)
signal.signal(signal.SIGTERM, leave)
seen = {"url": os.environ["SCREENTEST_URL"], "pid": os.getpid()}
pathlib.Path("part").write_text(json.dumps(seen))
pathlib.Path("part").rename("waiting.json")
time.sleep(60)
"""


@pytest.mark.long
@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_node_script_reaches_the_mock_with_nothing_configured(shell: Shell) -> None:
    (shell.folder / "script.mjs").write_text(_NODE)

    done = shell.run("run", "--", "node", "script.mjs")

    assert (done.code, done.out) == (0, "200 pending\n")
    assert done.err == "screentest: 1 request, no findings\n"


@pytest.mark.long
def test_pytest_reaches_the_mock_with_nothing_configured(shell: Shell) -> None:
    (shell.folder / "test_job.py").write_text(_PYTEST)
    tools = str(Path(sys.executable).parent)

    done = shell.run("run", "--", "pytest", "-q", PATH=f"{tools}{os.pathsep}{os.environ['PATH']}")

    assert done.code == 0, done.out + done.err
    assert "1 passed" in done.out


def test_variables_of_all_providers_point_to_the_mock(shell: Shell) -> None:
    script = "import json, os; print(json.dumps(dict(os.environ)))"

    variables = shell.run("run", "--", sys.executable, "-c", script).json

    url = variables["SCREENTEST_URL"]
    bases = sorted(name for name in variables if name.endswith("_BASE_URL"))
    assert bases == [
        "OPENAI_BASE_URL",
        "OSHARA_BASE_URL",
        "OZOR_BASE_URL",
        "UGC_COPILOT_BASE_URL",
        "ULAZAI_BASE_URL",
        "ZNAPAI_BASE_URL",
    ]
    assert all(variables[name].startswith(f"{url}/") for name in bases)
    assert "127.0.0.1" in variables["NO_PROXY"]


@pytest.mark.parametrize("code", [0, 1, 7, 255])
def test_exit_code_of_the_command_is_kept(shell: Shell, code: int) -> None:
    done = shell.run("run", "--", sys.executable, "-c", f"raise SystemExit({code})")

    assert (done.code, done.out, done.err) == (code, "", "")


def test_command_that_dies_of_a_signal_ends_as_in_a_shell(shell: Shell) -> None:
    script = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"

    assert shell.run("run", "--", sys.executable, "-c", script).code == 137


@pytest.mark.parametrize(
    ("word", "code", "problem", "hint"),
    [
        ("no-such", 127, "no command 'no-such' on the PATH", "is it installed?"),
        ("", 127, "no command '' on the PATH", "is it installed?"),
        ("notes", 127, "no command 'notes' on the PATH", "did you mean ./notes?"),
        ("./no-such", 127, "no command './no-such': the file does not exist", "is the path right?"),
        ("./folder", 126, "cannot run './folder': it is a folder", "name a program in it"),
        (
            "./notes",
            126,
            "cannot run './notes': it is not executable",
            "`chmod +x ./notes` makes it so; or name its interpreter first",
        ),
        (
            "./headless",
            126,
            "cannot run './headless': Exec format error",
            "a script needs a first line such as #!/bin/sh",
        ),
        (
            "./orphan",
            127,
            "cannot run './orphan': its interpreter does not exist",
            "a script names it in the first line, after #!",
        ),
    ],
)
def test_command_that_cannot_be_run_ends_as_in_a_shell_with_the_reason(
    shell: Shell, word: str, code: int, problem: str, hint: str
) -> None:
    (shell.folder / "folder").mkdir()
    (shell.folder / "notes").write_text("lamps\n")
    for name, text in (("headless", "lamps\n"), ("orphan", "#!/no/such/reader\n")):
        (shell.folder / name).write_text(text)
        (shell.folder / name).chmod(0o755)

    done = shell.run("run", "--", word)

    assert (done.code, done.out) == (code, "")
    assert done.err == f"error: {problem}\nhint: {hint}\n"


def test_settings_of_serve_are_not_those_of_a_mock_of_its_own(shell: Shell) -> None:
    table = '[tool.screentest]\ndb = "mine.db"\nquiet = true\n'
    (shell.folder / "pyproject.toml").write_text(table)

    done = shell.run("run", "--log", "--", sys.executable, "-c", _CALL_A_WRONG_PATH)

    assert "GET     ozor  /api/v1/vidoes  404" in done.err
    assert [it.name for it in shell.folder.iterdir()] == ["pyproject.toml"]


def test_clock_that_would_not_follow_the_command_is_refused(shell: Shell) -> None:
    done = shell.run("run", "--clock", "system", "--", "true")

    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "error: clock 'system' follows time.time() in the mock's own process\n"
        "hint: COMMAND is another process, and a time frozen there does not reach the mock: "
        "use real, or clock = system of the pytest plugin\n"
    )


def test_what_follows_the_command_is_its_own(shell: Shell) -> None:
    script = "import sys; print(sys.argv[1:])"

    done = shell.run("run", sys.executable, "-c", script, "--log", "--seed", "x", "--", "-h")

    assert (done.code, done.out) == (0, "['--log', '--seed', 'x', '--', '-h']\n")


def test_option_that_run_does_not_have_is_not_taken_for_the_command(shell: Shell) -> None:
    done = shell.run("run", "--lgo", "--", "true")

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: No such option '--lgo'")


def test_findings_are_summed_up_and_fail_the_run_on_request_alone(shell: Shell) -> None:
    words = ("--", sys.executable, "-c", _CALL_A_WRONG_PATH)

    content = shell.run("run", *words)
    strict = shell.run("run", "--fail-on", "error", *words)

    detail = "screentest: 1 request: 1 error (SC110 ×1); see `screentest explain SC110`\n"
    assert (content.code, content.err) == (0, detail)
    assert (strict.code, strict.err) == (1, detail)


@pytest.mark.long
def test_findings_about_deliveries_and_payments_of_deleted_worlds_fail_the_run(
    shell: Shell,
) -> None:
    words = ("--", sys.executable, "-c", _PAY_FOR_NOTHING_AND_BELIEVE_A_FORGED_SIGNATURE)

    content = shell.run("run", "--clock", "manual", *words)
    strict = shell.run("run", "--clock", "manual", "--fail-on", "error", *words)
    by_code = shell.run("run", "--clock", "manual", "--fail-on", "SC101,SC212", *words)
    other = shell.run("run", "--clock", "manual", "--fail-on", "SC213", *words)

    assert content.err == (
        "screentest: 2 requests: 1 error, 1 warning (SC212 ×1, SC306 ×1); "
        "see `screentest explain SC306`\n"
    )
    assert (content.code, strict.code, by_code.code, other.code) == (0, 1, 1, 0)


def test_reports_sum_up_findings_costs_and_outcomes_of_deleted_worlds(shell: Shell) -> None:
    script = _PAY_FOR_NOTHING_AND_BELIEVE_A_FORGED_SIGNATURE
    kinds = ("text:run.txt", "json:run.json", "html:run.html", "junit:run.xml")
    options = [word for kind in kinds for word in ("--report", kind)]

    done = shell.run("run", *options, "--", sys.executable, "-c", script)

    report = json.loads((shell.folder / "run.json").read_text())
    text = (shell.folder / "run.txt").read_text()
    assert done.code == 0, done.err
    assert report["worlds"] == 2
    assert report["spent"]["ozor"] == 1
    assert report["outcomes"]["providers"]["ozor"]["met"] == {
        "generateVideo 200": 1,
        "agent_job.state completed": 1,
    }
    assert text.splitlines()[0] == done.err.removeprefix("screentest: ").strip()
    assert re.search(r"^ozor +1 +0 +no public price per credit$", text, re.MULTILINE)
    assert "paid in vain: " in text
    assert re.search(r"^ozor +75 +2 +2\.7$", text, re.MULTILINE)
    assert report["found"].keys() == {"SC212", "SC306"}
    page = (shell.folder / "run.html").read_text()
    assert "exit code 0 · 2 requests: 1 error, 1 warning" in page
    assert "generateVideo" in page
    cases = ElementTree.parse(shell.folder / "run.xml").getroot()
    assert {it.get("name"): [part.tag for part in it] for it in cases} == {
        "SC306": ["failure"],
        "SC212": ["skipped"],
    }


@pytest.mark.parametrize("given", ["pdf:x", "run.txt", "text:", "text:no/such/folder"])
def test_report_that_cannot_be_written_is_refused_before_the_command_runs(
    shell: Shell, given: str
) -> None:
    done = shell.run("run", "--report", given, "--", sys.executable, "-c", "print('ran')")

    assert (done.code, done.out) == (2, "")


def test_unknown_code_to_fail_on_is_refused(shell: Shell) -> None:
    done = shell.run("run", "--fail-on", "SC999", "--", "true")

    assert done.code == 2
    assert "'SC999' is not one of 'never', 'error', 'warning', and not a code" in done.err


def test_request_lines_are_printed_on_request(shell: Shell) -> None:
    done = shell.run("run", "--log", "--", sys.executable, "-c", _CALL_A_WRONG_PATH)

    lines = done.err.splitlines()
    assert "GET     ozor  /api/v1/vidoes  404" in lines[0]
    assert lines[1].startswith("  └ SC110 ")


def test_signal_is_sent_on_and_the_mock_stops_with_the_command(shell: Shell) -> None:
    (shell.folder / "wait.py").write_text(_WAIT)
    running = _start(shell)
    waiting = read_when_there(shell.folder / "waiting.json")

    running.send_signal(signal.SIGTERM)

    assert running.wait(20) == 40 + signal.SIGTERM
    assert not _answers(waiting["url"])


_KILLS_THE_MOCK = """
import os, signal, subprocess, sys
shown = subprocess.check_output(["ps", "-A", "-o", "pid=,ppid="], text=True)
for pid, parent in (map(int, it.split()) for it in shown.splitlines()):
    if parent == os.getppid() and pid != os.getpid():
        os.kill(pid, signal.SIGKILL)
sys.exit(int(sys.argv[1]))
"""


@pytest.mark.parametrize(("code", "expected"), [(0, 3), (7, 7)])
def test_mock_that_ends_before_the_command_fails_the_run(
    shell: Shell, code: int, expected: int
) -> None:
    report = shell.folder / "report.txt"
    words = ("--fail-on", "never", "--report", f"text:{report}")

    done = shell.run("run", *words, "--", sys.executable, "-c", _KILLS_THE_MOCK, str(code))

    problem = "error: the mock ended before the command did; its last lines are above"
    assert (done.code, done.err.splitlines()[-1]) == (expected, problem)
    assert not report.exists()


def test_mock_does_not_outlive_a_run_that_was_killed(shell: Shell) -> None:
    (shell.folder / "wait.py").write_text(_WAIT)
    running = _start(shell)
    waiting = read_when_there(shell.folder / "waiting.json")

    running.kill()
    running.wait(20)

    try:
        assert _falls_silent(waiting["url"])
    finally:
        os.kill(waiting["pid"], signal.SIGKILL)


def _start(shell: Shell) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            sys.executable,
            "-P",
            "-m",
            "screentest.mock_server.cli",
            "run",
            "--",
            sys.executable,
            "wait.py",
        ],
        cwd=shell.folder,
        env=shell.environment(),
    )


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_screentest/health", timeout=5) as answer:
            return bool(json.load(answer))
    except (urllib.error.URLError, OSError):
        return False


def _falls_silent(url: str) -> bool:
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        if not _answers(url):
            return True
        time.sleep(0.05)
    return False
