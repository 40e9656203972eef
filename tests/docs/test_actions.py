"""The GitHub Actions: their steps run as shell, with the files and variables of a runner."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live_mock import LiveMock
from tests.pages import DOCS, ROOT, blocks

BIN = Path(sys.executable).parent
_USES = re.compile(r"uses: (\S+)( # v[\d.]+)?$", re.MULTILINE)
_EXPRESSION = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")
_A_JOB = (
    'curl -s -X POST -H "X-API-Key: $OZOR_API_KEY" -H "Content-Type: application/json"'
    ' -d \'{"prompt": "A lamp"}\' $OZOR_BASE_URL/api/v1/videos/generate\n'
)
_A_WRONG_PATH = 'curl -s -o /dev/null "$OZOR_BASE_URL/api/v1/vidoes"\n'

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the scripts use curl")


@dataclass
class Runner:
    """A runner of GitHub Actions that knows `run` steps; it has the cache of earlier jobs."""

    folder: Path
    path: list[str] = field(default_factory=lambda: [str(BIN)])

    def job(self, action: Path, **inputs: str) -> Job:
        """One run of *action*, with underscores for the hyphens of its inputs."""
        job = Job(self, yaml.safe_load((action / "action.yml").read_text()), action)
        job.run({name.replace("_", "-"): value for name, value in inputs.items()})
        return job


@dataclass
class Job:
    """The steps of one action that have run, with their outputs."""

    runner: Runner
    action: dict[str, Any]
    place: Path
    inputs: dict[str, str] = field(default_factory=dict[str, str])
    steps: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    used: list[str] = field(default_factory=list[str])
    printed: str = ""
    failed: list[str] = field(default_factory=list[str])

    def run(self, given: dict[str, str]) -> None:
        known = self.action["inputs"]
        assert set(given) <= set(known)
        assert {name for name, it in known.items() if it.get("required")} <= set(given)
        self.inputs = {name: it.get("default", "") for name, it in known.items()} | given
        for step in self.action["runs"]["steps"]:
            if self._is_due(step.get("if", "")):
                self._take(step)

    @property
    def outputs(self) -> dict[str, str]:
        return {name: self._filled(it["value"]) for name, it in self.action["outputs"].items()}

    @property
    def summary(self) -> str:
        path = self._file("GITHUB_STEP_SUMMARY")
        return path.read_text() if path.exists() else ""

    def _is_due(self, condition: str) -> bool:
        parts = [it.strip() for it in condition.split("&&")] if condition else []
        if self.failed and "always()" not in parts:
            return False
        comparisons = [it for it in parts if it != "always()"]
        assert all(it.endswith(" != ''") for it in comparisons), condition
        return all(self._value(it.removesuffix(" != ''")) for it in comparisons)

    def _take(self, step: dict[str, Any]) -> None:
        if "uses" in step:
            self.used.append(step["uses"].partition("@")[0])
            for value in step["with"].values():
                self._filled(str(value))
            return
        assert step["shell"] == "bash"
        output = self._file("GITHUB_OUTPUT")
        output.write_text("")
        names = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH", "GITHUB_ENV")
        kept = {name: it for name, it in os.environ.items() if not name.startswith("SCREENTEST_")}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.runner.folder / self._filled(step.get("working-directory", ".")),
            env={
                **kept,
                **{name: str(self._file(name)) for name in names},
                **{name: self._filled(str(it)) for name, it in step.get("env", {}).items()},
                "PATH": os.pathsep.join([*self.runner.path, os.environ["PATH"]]),
                "RUNNER_TEMP": str(self.runner.folder),
                "GITHUB_ACTION_PATH": str(self.place),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        self.printed += done.stdout
        lines = (it.partition("=") for it in output.read_text().splitlines())
        self.steps[step.get("id", step["name"])] = {name: value for name, _, value in lines}
        if done.returncode:
            self.failed.append(step["name"])

    def _file(self, name: str) -> Path:
        return self.runner.folder / name

    def _filled(self, text: str) -> str:
        return _EXPRESSION.sub(lambda found: self._value(found[1]), text)

    def _value(self, name: str) -> str:
        kind, *rest = name.split(".")
        if kind == "inputs":
            return str(self.inputs[rest[0]])
        if kind == "github":
            return "1"
        assert (kind, rest[1]) == ("steps", "outputs"), name
        assert rest[0] in {it.get("id") for it in self.action["runs"]["steps"]}, name
        return self.steps.get(rest[0], {}).get(rest[2], "")


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def _run(runner: Runner, script: str, **inputs: str) -> Job:
    runner.folder.joinpath("GITHUB_STEP_SUMMARY").unlink(missing_ok=True)
    return runner.job(ROOT, run=script, **{"package": "", **inputs})


def test_command_meets_a_mock_and_its_receipt_is_in_the_summary(runner: Runner) -> None:
    job = _run(runner, _A_JOB * 2, clock="auto", seed="7", providers="ozor ulazai")

    report = json.loads(Path(job.outputs["reports"], "report.json").read_text())
    assert job.failed == [], job.printed
    assert job.outputs["exit-code"] == "0"
    assert report["requests"] == 2
    assert sorted(report["outcomes"]["providers"]) == ["ozor", "ulazai"]
    assert job.summary.startswith("### screentest run: passed\n\n    2 requests, no findings\n")
    assert re.search(r"^    ozor +[0-9]+ +[0-9]+ +no public price", job.summary, re.MULTILINE)
    assert "    ozor: never met\n" in job.summary
    assert job.used == ["actions/upload-artifact"]


def test_findings_fail_the_step_and_are_printed_with_their_fix(runner: Runner) -> None:
    job = _run(runner, _A_WRONG_PATH)

    assert job.failed == ["Run the command against the mock"]
    assert job.outputs["exit-code"] == "1"
    assert "SC110" in job.printed
    assert job.summary.startswith("### screentest run: failed\n\n    1 request: 1 error (SC110 ×1)")
    assert job.used == ["actions/upload-artifact"]


def test_findings_are_reported_alone_on_request(runner: Runner) -> None:
    job = _run(runner, _A_WRONG_PATH, fail_on="never", log="false", report_name="")

    assert job.failed == []
    assert "/api/v1/vidoes" not in job.printed
    assert "(SC110 ×1)" in job.summary
    assert job.used == []


def test_script_stops_at_its_first_failure_with_that_code(runner: Runner) -> None:
    job = _run(runner, "false | true\nexit 7")
    other = _run(runner, "(exit 7)\necho went on")

    assert job.outputs["exit-code"] == "1"
    assert other.outputs["exit-code"] == "7"
    assert "went on" not in other.printed
    assert other.summary.startswith("### screentest run: failed with exit code 7\n")


@pytest.mark.long
def test_mock_that_dies_fails_the_step_and_the_summary_says_so(runner: Runner) -> None:
    kill = "for pid in $(ps -o pid= --ppid $PPID); do [ $pid = $$ ] || kill -9 $pid; done"

    job = _run(runner, f"{kill}\ntrue")

    assert job.failed == ["Run the command against the mock"]
    assert job.outputs["exit-code"] == "3"
    assert "error: the mock ended before the command did" in job.printed
    assert job.summary == "### screentest run: failed with exit code 3\n"


@pytest.mark.parametrize("value", ["yes", "True", "", "1"])
@pytest.mark.parametrize(
    ("place", "name", "given"),
    [
        (ROOT, "log", {"run": "touch ran"}),
        (ROOT / "verify", "read-only", {"provider": "ulazai"}),
        (ROOT / "verify", "live", {"provider": "ulazai"}),
        (ROOT / "verify", "resume", {"provider": "ulazai"}),
    ],
)
def test_input_that_is_neither_true_nor_false_is_refused_before_anything_is_done(
    runner: Runner, place: Path, name: str, given: dict[str, str], value: str
) -> None:
    job = runner.job(place, package="", **given, **{name: value})

    assert job.failed == ["Check the inputs"]
    assert job.printed == f"::error::the input {name} must be true or false\n"
    assert job.used == []
    assert not (runner.folder / "ran").exists()


@pytest.mark.long
@pytest.mark.parametrize(
    ("given", "code", "detail"),
    [
        ({"provider": "ulasai"}, "2", "did you mean 'ulazai'?"),
        ({"url": "http://127.0.0.1:9", "api_key": "k"}, "3", "127.0.0.1:9"),
        ({"url": "https://ulazai.com", "api_key": "k"}, "2", "Add --live if you mean it"),
        ({"budget": "many"}, "2", "--budget"),
        ({"time_scale": "fast"}, "2", "--time-scale"),
    ],
)
def test_wrong_inputs_end_the_check_with_the_reason(
    runner: Runner, given: dict[str, str], code: str, detail: str
) -> None:
    job = runner.job(ROOT / "verify", package="", **{"provider": "ulazai", **given})

    assert (job.outputs["exit-code"], job.outputs["drift"]) == (code, ""), job.printed
    assert detail in job.printed
    assert f"### screentest verify {job.inputs['provider']}: failed with exit code" in job.summary


def test_inputs_are_never_code_but_of_the_script(runner: Runner) -> None:
    """A title of a pull request may end up in an input."""
    _run(runner, "true", clock="$(touch planted)`touch planted`'; touch planted; '")

    assert not (runner.folder / "planted").exists()


@pytest.mark.parametrize("place", [ROOT, ROOT / "verify"], ids=["run", "verify"])
def test_expressions_are_in_no_shell_text_and_actions_are_pinned(place: Path) -> None:
    """An expression in a shell text would run what an input contains."""
    steps = yaml.safe_load((place / "action.yml").read_text())["runs"]["steps"]
    uses = _USES.findall((place / "action.yml").read_text())

    assert [step["name"] for step in steps if "${{" in step.get("run", "")] == []
    assert len(uses) == sum("uses" in step for step in steps) > 0
    assert [it for it, note in uses if not re.search(r"@[0-9a-f]{40}$", it) or not note] == []


@pytest.mark.long
def test_mock_is_verified_and_drift_is_counted_from_the_second_run_on(runner: Runner) -> None:
    first = runner.job(ROOT / "verify", provider="ulazai", package="")
    kept = Path(first.steps["folder"]["kept"], "report.ndjson")
    lines = [json.loads(it) for it in kept.read_text().splitlines()]
    rules = [it for it in lines if it["type"] == "rule" and it["verdict"] == "kept"]
    rules[0]["verdict"], rules[1]["id"] = "broken", "a.rule.that.is.gone"
    kept.write_text("".join(json.dumps(it) + "\n" for it in lines))
    second = runner.job(ROOT / "verify", provider="ulazai", package="", fail_on_drift="true")
    third = runner.job(ROOT / "verify", provider="ulazai", package="", fail_on_drift="true")

    assert first.failed == [], first.printed
    assert (first.outputs["exit-code"], first.outputs["drift"]) == ("0", "")
    assert {"report.html", "report.ndjson", "report.txt", "report.xml"} <= {
        it.name for it in Path(first.outputs["reports"]).iterdir()
    }
    assert first.used == ["actions/cache/restore", "actions/cache/save", "actions/upload-artifact"]
    assert (second.outputs["drift"], second.failed) == ("3", ["Compare with the last run"])
    assert "### 3 changes since the last run\n\n    a.rule.that.is.gone: kept" in second.summary
    assert (third.outputs["drift"], third.failed) == ("0", [])
    assert "### screentest verify ulazai: passed\n" in third.summary


@pytest.mark.long
def test_server_is_verified_within_its_budget_and_compared_with_its_profile(
    runner: Runner, live: LiveMock
) -> None:
    world = live.world(seed=7)
    ulazai = world["providers"]["ulazai"]
    given = {
        "provider": "ulazai",
        "url": ulazai["base_url"],
        "api_key": ulazai["account"]["api_key"],
        "package": "",
        "budget": "0",
    }

    job = runner.job(ROOT / "verify", **given)
    reports, kept = Path(job.outputs["reports"]), Path(job.steps["folder"]["kept"])
    profile = json.loads((reports / "profile.json").read_text())
    last = {**profile, "readings": {"ulazai.error_form": "drf_detail"}}
    (kept / "profile.json").write_text(json.dumps(last))
    (kept / "report.ndjson").write_text("not a report")
    next_job = runner.job(ROOT / "verify", **given)

    assert job.outputs["exit-code"] == "5", job.printed
    assert "### screentest verify ulazai: ended early, because the budget was spent" in job.summary
    assert ulazai["account"]["api_key"] not in job.printed + job.summary
    # The run ended early, so the next one is not compared with it.
    assert job.outputs["drift"] == ""
    assert profile["readings"]["ulazai.error_form"] == "success_false"
    assert next_job.outputs["drift"] == "1"
    assert "    ulazai.error_form: drf_detail → success_false\n" in next_job.summary
    assert "::warning::report.ndjson of the last run cannot be compared" in next_job.printed


@pytest.mark.slow
def test_token_of_a_session_and_a_faster_clock_reach_the_check(
    runner: Runner, live: LiveMock
) -> None:
    world = live.world(clock={"mode": "real", "speed": 600})
    ozor = world["providers"]["ozor"]
    given = {"url": ozor["base_url"], "api_key": ozor["account"]["api_key"]}
    bearer = ozor["account"]["bearer"]

    job = runner.job(
        ROOT / "verify", provider="ozor", package="", bearer=bearer, time_scale="600", **given
    )

    path = f"/worlds/{world['id']}/requests?operation=listApiKeys&status=200"
    assert job.failed == [], job.printed
    assert live.control("GET", path)["items"] != []
    assert bearer not in job.printed + job.summary


@pytest.mark.slow
def test_run_is_continued_by_the_next_job_until_no_check_waits(
    runner: Runner, live: LiveMock
) -> None:
    """Task URLs of UlazAI stay; those of Oshara end after an hour, so a check waits."""
    oshara = live.world(clock={"mode": "real", "speed": 600})["providers"]["oshara"]
    given = {
        "provider": "oshara",
        "url": oshara["base_url"],
        "api_key": oshara["account"]["api_key"],
        "package": "",
        "resume": "true",
    }

    job = runner.job(ROOT / "verify", **given)
    kept = Path(job.steps["folder"]["kept"], "run.json")
    first = kept.read_bytes()
    next_job = runner.job(ROOT / "verify", **given)

    assert job.outputs["exit-code"] == "0", job.printed
    assert "To be continued (1): with --resume, not before 20" in job.printed
    assert oshara["account"]["api_key"].encode() not in first
    assert kept.read_bytes().startswith(first)
    assert next_job.outputs["exit-code"] == "0", next_job.printed
    assert runner.job(ROOT / "verify", **{**given, "resume": "false"}).failed == []
    assert not kept.exists()


def test_workflows_of_the_page_have_inputs_that_exist_and_all_that_are_required() -> None:
    workflows = [
        yaml.safe_load(text) for language, text in blocks(DOCS / "ci.md") if language == "yaml"
    ]
    steps = [step for it in workflows for job in it["jobs"].values() for step in job["steps"]]
    ours = [it for it in steps if it.get("uses", "").startswith("OWNER/screentest")]

    for step in ours:
        place = step["uses"].removeprefix("OWNER/screentest").removesuffix("@COMMIT").strip("/")
        known = yaml.safe_load((ROOT / place / "action.yml").read_text())["inputs"]
        needed = {name for name, about in known.items() if about.get("required")}
        assert needed <= set(step["with"]) <= set(known)
    assert [it["uses"] for it in ours] == [
        "OWNER/screentest@COMMIT",
        "OWNER/screentest/verify@COMMIT",
    ]


@pytest.mark.slow
def test_package_is_installed_beside_the_tools_of_the_job(runner: Runner) -> None:
    """From the package registry, as on a runner; the job's own `python` stays the first."""
    job = _run(runner, "command -v screentest", package=str(ROOT))

    path = Path((runner.folder / "GITHUB_PATH").read_text().strip())
    assert job.failed == [], job.printed
    assert [it.name for it in path.iterdir()] == ["screentest"]
    done = subprocess.run([path / "screentest", "--version"], capture_output=True, check=False)
    assert done.returncode == 0
