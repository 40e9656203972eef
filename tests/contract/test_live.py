"""A server over HTTP in another process: real time, run fast, real keys, and a bill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from screentest.contract_tests.recordings.proxy import Recorder
from screentest.contract_tests.targets.guard import CreditBudget
from screentest.contract_tests.targets.live import Live
from screentest.contract_tests.targets.target import Identity, OutgoingRequest
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.registry import load_contract
from screentest.specs.json_types import Json
from tests.live_mock import LiveMock, serving

from .hands import PROVIDERS

#: How many times faster than ours the server's clock runs.
SPEED = 1_000

pytestmark = pytest.mark.slow


@dataclass
class Remote:
    """A world of a mock in another process, on a real clock that runs fast."""

    live: LiveMock
    name: str
    providers: Json
    accounts: list[str] = field(default_factory=list[str])

    def key(self, provider: str) -> str:
        account = self.providers[provider]["account"]
        key: str = account["api_key"] or account["bearer"]
        return key

    def second_key(self, provider: str) -> str:
        path = f"/worlds/{self.name}/accounts"
        made = self.live.control("POST", path, {"provider": provider})
        self.accounts.append(made["id"])
        key: str = made["api_key"]
        return key

    def url(self, provider: str) -> str:
        return f"{self.live.url}/w/{self.name}/{provider}"

    def jobs(self) -> list[Json]:
        found: list[Json] = self.live.control("GET", f"/worlds/{self.name}/jobs")["items"]
        return found

    def requests(self) -> list[Json]:
        """All lines of the journal, in their order."""
        path, found, cursor = f"/worlds/{self.name}/requests?limit=200", list[Json](), ""
        while True:
            page = self.live.control("GET", path + cursor)
            found += page["items"]
            if not page.get("next_cursor"):
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def spent(self, provider: str) -> int:
        account = self.providers[provider]["account"]
        path = f"/worlds/{self.name}/accounts/{account['id']}"
        before: int = account["credits"]["available"]
        credits = self.live.control("GET", path)["credits"]
        left: int = credits["available"] + credits["held"]
        return before - left

    def spent_in_the_end(self) -> int:
        """What all accounts of the world have spent when every job has ended."""
        self.live.control("POST", f"/worlds/{self.name}/clock/advance", {"by_ms": 86_400_000})
        shown = self.live.control("GET", f"/worlds/{self.name}")
        accounts = [*self.accounts, *(it["account"]["id"] for it in shown["providers"].values())]
        path = f"/worlds/{self.name}/accounts"
        ledgers = [self.live.control("GET", f"{path}/{it}/ledger") for it in accounts]
        return sum(it["spent"] for it in ledgers)

    def call(self, provider: str, path: str, body: Json) -> None:
        headers = {
            "content-type": "application/json",
            "authorization": f"Bearer {self.key(provider)}",
        }
        target = Live(self.url(provider), Identity("owner"))
        answer = target.send(OutgoingRequest("POST", path, "", headers, json.dumps(body).encode()))
        assert answer.status == 200, answer.body

    def set_clock(self, **clock: Json) -> None:
        self.live.control("PATCH", f"/worlds/{self.name}/clock", clock)

    def command(self, provider: str, *more: str, url: str = "") -> list[str]:
        return [
            sys.executable,
            "-m",
            "screentest.mock_server.cli",
            "verify",
            provider,
            "--url",
            url or self.url(provider),
            "--api-key",
            self.key(provider),
            "--time-scale",
            str(SPEED),
            *more,
        ]

    def verify(self, provider: str, *more: str, url: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(provider, *more, url=url),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def pytest(
        self, provider: str, url: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        target = f"{provider}={url or self.url(provider)}"
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                "--pyargs",
                "screentest.contract_tests",
                "--screentest-target",
                target,
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env={**os.environ, "SCREENTEST_TIME_SCALE": str(SPEED), **variables},
        )


@pytest.fixture
def remote(live: LiveMock) -> Iterator[Remote]:
    made = live.control("POST", "/worlds", {"clock": {"mode": "real", "speed": SPEED}})
    yield Remote(live, made["id"], made["providers"])
    live.control("DELETE", f"/worlds/{made['id']}")


@pytest.mark.parametrize(
    ("provider", "kinds", "credits"),
    [
        ("oshara", ["video_job"], None),
        ("ozor", ["agent_job", "export"], 1),
        ("ugc_copilot", ["render"], 18),
        ("ulazai", ["task"], 70),
        ("znapai", ["video"], None),
    ],
)
def test_a_quick_look_pays_for_one_job(
    remote: Remote, provider: str, kinds: list[str], credits: int | None
) -> None:
    done = remote.verify(provider, "--tier", "smoke")

    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted({it["kind"] for it in remote.jobs()}) == kinds
    assert len([it for it in remote.jobs() if it["kind"] != "export"]) == 1
    assert credits is None or remote.spent(provider) == credits


@pytest.mark.parametrize("provider", PROVIDERS)
def test_everything_is_kept_over_http_too(remote: Remote, provider: str) -> None:
    second = remote.second_key(provider)

    done = remote.verify(provider, "--second-api-key", second)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "it needs a second account" not in done.stdout


#: What the body of an answer has when nothing more happens to the job, or to the plan, by itself.
_ENDED = {
    "oshara": ('"COMPLETED"', '"FAILED"'),
    "ozor": ('"completed"', '"complete"', '"failed"', '"draft"', '"generated"'),
    "ugc_copilot": ('"done":true',),
    "ulazai": ('"status":"success"', '"success":false'),
    "znapai": ('"completed"', '"failed"'),
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_full_run_at_three_hundred_times_the_speed_ends_soon_and_polls_at_the_cadence(
    live: LiveMock, provider: str
) -> None:
    made = live.control("POST", "/worlds", {"clock": {"mode": "real", "speed": 300}})
    remote = Remote(live, made["id"], made["providers"])
    second = remote.second_key(provider)
    started_s = time.monotonic()

    done = remote.verify(provider, "--second-api-key", second, "--time-scale", "300")

    took_s = time.monotonic() - started_s
    assert done.returncode == 0, done.stdout + done.stderr
    assert took_s < 90
    contract = load_contract(provider)
    checks = load_checks(contract)
    pauses_ms = [checks.cadence.first_ms, checks.cadence.then_ms]
    lasting = {it.kind: contract.behaviour.lifecycle_of(it.kind) for it in checks.makes.values()}
    jobs = [kind for kind, it in lasting.items() if it is not None and it.simulated]
    reads = {checks.makes[it].read for it in jobs}
    gaps_ms = list(_gaps_between_polls(remote.requests(), reads, _ENDED[provider]))
    assert len(gaps_ms) > 10
    assert min(gaps_ms) >= min(pauses_ms)
    live.control("DELETE", f"/worlds/{remote.name}")


def _gaps_between_polls(
    lines: list[Json], reads: set[str | None], ended: tuple[str, ...]
) -> Iterator[float]:
    """The time of the server between two equal reads, where the first shows no end."""
    last: dict[str, Json] = {}
    for line in lines:
        if line["operation"] not in reads or line["response"]["status"] != 200:
            continue
        asked = line["request"]
        key = f"{asked['path']} {asked.get('body')} {asked['headers'].get('authorization')}"
        before = last.get(key)
        last[key] = line
        if before is None or any(it in before["response"]["body"] for it in ended):
            continue
        instants = [datetime.fromisoformat(it["at"]) for it in (before, line)]
        yield (instants[1] - instants[0]) / timedelta(milliseconds=1)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_bill_is_what_the_ledger_says(remote: Remote, provider: str, tmp_path: Path) -> None:
    report = tmp_path / "run.ndjson"
    if provider == "ugc_copilot":
        # The first search is free, and no answer shows whether there was one.
        remote.call(
            provider, "/proxyFetchTopSellingProducts", {"data": {"industry": "Tech & Gadgets"}}
        )
    second = remote.second_key(provider)

    done = remote.verify(provider, "--second-api-key", second, "--report", f"ndjson:{report}")

    run = json.loads(report.read_text().splitlines()[0])
    assert done.returncode == 0, done.stdout + done.stderr
    assert run["credits"] + run["credits_pending"] == remote.spent_in_the_end()
    assert (run["credits"] > 0) == (provider in {"ozor", "ugc_copilot", "ulazai"})


def test_a_broken_rule_exits_with_1(remote: Remote) -> None:
    fault = {
        "type": "http_error",
        "where": {"operation": "getVideo"},
        "attributes": {"status": 418},
        "times": 100,
    }
    remote.live.control("POST", f"/worlds/{remote.name}/faults", fault)

    done = remote.verify("znapai", "--only", "walk video")

    assert done.returncode == 1, done.stdout + done.stderr


def test_a_key_that_is_not_known_exits_with_2(remote: Remote) -> None:
    done = remote.verify("ozor", "--api-key", "sk_" + "live_" + "0" * 32)

    assert done.returncode == 2
    assert "the server does not know the key" in done.stderr
    assert remote.jobs() == []


def test_a_spent_budget_exits_with_3_and_was_kept(remote: Remote) -> None:
    done = remote.verify("ulazai", "--budget", "69")

    assert done.returncode == 5, done.stdout + done.stderr
    assert "may cost 70, 69 credits are left" in done.stdout
    assert remote.spent("ulazai") == 0


@pytest.mark.parametrize("attributes", [{"status": 503, "retry_after_s": 1}, {"status": 500}])
def test_a_server_that_charges_and_then_fails_overdraws_no_budget(
    remote: Remote, attributes: Json
) -> None:
    fault = {
        "type": "http_error",
        "phase": "after_commit",
        "times": None,
        "where": {"provider": "ozor", "operation": "generateVideo"},
        "attributes": attributes,
    }
    remote.live.control("POST", f"/worlds/{remote.name}/faults", fault)

    done = remote.verify("ozor", "--budget", "1")

    assert ", 1 credits spent, " in done.stdout
    assert remote.spent_in_the_end() == 1


def test_reading_only_leaves_the_account_as_it_was(remote: Remote) -> None:
    done = remote.verify("ozor", "--read-only")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "changes something (--read-only)" in done.stdout
    assert (remote.jobs(), remote.spent("ozor")) == ([], 0)


def test_sixteen_callers_cannot_overdraw_the_budget(remote: Remote) -> None:
    recorder = Recorder(load_contract("ulazai"), remote.url("ulazai"), budget=CreditBudget(300))
    headers = {"content-type": "application/json", "authorization": f"Token {remote.key('ulazai')}"}
    start = OutgoingRequest(
        "POST", "/api/v1/sora/generate/text-to-video/", "", headers, b'{"prompt": "x"}'
    )

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: recorder.pass_on(start).status, range(48)))

    assert sorted(set(statuses)) == [201, 402]
    assert (statuses.count(201), recorder.budget.spent, remote.spent("ulazai")) == (4, 280, 280)


def test_a_run_that_broke_off_is_gone_on_with(remote: Remote, tmp_path: Path) -> None:
    journal = tmp_path / "open.json"
    arguments = ("--tier", "smoke", "--journal", str(journal))
    remote.set_clock(mode="real", speed=1)
    first = subprocess.Popen(remote.command("ulazai", *arguments), stdout=subprocess.DEVNULL)
    _wait_for(tmp_path, "open.json")
    first.kill()
    first.wait(10)

    remote.set_clock(mode="real", speed=SPEED)
    done = remote.verify("ulazai", *arguments)

    assert done.returncode == 0, done.stdout + done.stderr
    assert (len(remote.jobs()), remote.spent("ulazai")) == (1, 70)
    assert json.loads(journal.read_text()) == {"open_jobs": []}


def test_open_jobs_of_a_live_target_are_kept_without_being_asked_for(
    remote: Remote, tmp_path: Path
) -> None:
    variables = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    command = remote.command("ulazai", "--tier", "smoke", "--live")
    remote.set_clock(mode="real", speed=1)
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=variables)
    folder = tmp_path / "screentest" / "open-jobs"
    _wait_for(folder, "ulazai-*.json")
    first.kill()
    first.wait(10)

    remote.set_clock(mode="real", speed=SPEED)
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, env=variables
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert (len(remote.jobs()), remote.spent("ulazai")) == (1, 70)


def test_ctrl_c_ends_a_run_with_its_bill_and_its_reports(remote: Remote, tmp_path: Path) -> None:
    journal, report = tmp_path / "open.json", tmp_path / "run.ndjson"
    more = ("--tier", "smoke", "--journal", str(journal), "--report", f"ndjson:{report}")
    remote.set_clock(mode="real", speed=1)
    run = subprocess.Popen(remote.command("ulazai", *more), stdout=subprocess.PIPE, text=True)
    _wait_for(tmp_path, "open.json")

    run.send_signal(signal.SIGINT)
    detail, _ = run.communicate(timeout=30)

    shown = json.loads(report.read_text().splitlines()[0])
    assert run.returncode == 130, detail
    assert "Ended early: the run was interrupted" in detail
    assert ", 70 credits spent, " in detail
    assert (shown["credits"], shown["ended_early"]) == (70, "the run was interrupted")
    assert len(json.loads(journal.read_text())["open_jobs"]) == 1


def test_a_server_that_goes_away_leaves_the_bill_and_the_reports(tmp_path: Path) -> None:
    report, journal = tmp_path / "run.xml", tmp_path / "open.json"
    with serving(tmp_path) as mock:
        made = mock.control("POST", "/worlds", {"clock": {"mode": "real", "speed": 1}})
        remote = Remote(mock, made["id"], made["providers"])
        more = ("--tier", "smoke", "--journal", str(journal), "--report", f"junit:{report}")
        run = subprocess.Popen(
            remote.command("ulazai", *more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        _wait_for(tmp_path, "open.json")

    detail, problem = run.communicate(timeout=60)

    assert run.returncode == 3, detail + problem
    assert ", 70 credits spent, " in detail
    assert "check that the server runs" in problem
    assert 'name="ended early"' in report.read_text()


@pytest.mark.parametrize(
    ("key", "detail"),
    [("wrong", "the server does not know the key"), ("", "set SCREENTEST_API_KEY")],
)
def test_the_suite_of_pytest_says_in_one_line_that_a_key_does_not_work(
    remote: Remote, key: str, detail: str
) -> None:
    done = remote.pytest("ozor", SCREENTEST_API_KEY=key)

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert detail in done.stderr
    assert "passed" not in done.stdout
    assert remote.jobs() == []


def test_the_pytest_suite_reports_an_unreachable_server_in_one_line(remote: Remote) -> None:
    done = remote.pytest("ozor", url="http://127.0.0.1:9", SCREENTEST_API_KEY="k")

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "check that the server runs and that the address is right" in done.stderr
    assert "failed" not in done.stdout


def test_all_tests_of_a_pytest_run_share_one_budget(remote: Remote) -> None:
    variables = {"SCREENTEST_API_KEY": remote.key("ulazai"), "SCREENTEST_BUDGET": "200"}

    done = remote.pytest("ulazai", **variables)

    assert done.returncode == 0, done.stdout
    assert 0 < remote.spent_in_the_end() <= 200


def test_what_env_prints_is_an_address(remote: Remote) -> None:
    done = remote.verify("ulazai", "--tier", "smoke", url=f"{remote.url('ulazai')}/api/v1")

    assert done.returncode == 0, done.stdout + done.stderr


def test_an_address_of_nothing_is_not_taken_for_a_key_that_works(remote: Remote) -> None:
    done = remote.verify("ulazai", url=f"{remote.url('ulazai')}/nothing")

    assert done.returncode == 2, done.stdout + done.stderr
    assert "is the address right?" in done.stderr
    assert remote.jobs() == []


def test_progress_goes_to_a_pipe_in_lines_unless_switched_off(remote: Remote) -> None:
    detail = remote.verify("ulazai", "--only", "walk task").stderr
    quiet = remote.verify("ulazai", "--only", "walk task", "--quiet").stderr

    assert (detail.splitlines()[0].startswith("1  walk task: "), "\r" in detail) == (True, False)
    assert quiet == ""


def _wait_for(folder: Path, pattern: str) -> None:
    ends = time.monotonic() + 30
    while not list(folder.glob(pattern)):
        assert time.monotonic() < ends, f"{folder}/{pattern} was not written"
        time.sleep(0.02)
