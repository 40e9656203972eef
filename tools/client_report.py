"""What clients of vendors do when an answer is lost: each is run by `screentest explore`.

`python -m tools.client_report` writes the page, and `make test-sdks` asserts that it is right.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from screentest.mock_server.explore.verdicts import Verdict
from screentest.specs.json_types import Json

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "clients.md"
_NODE_PACKAGES = ROOT / "tools" / "node" / "package.json"
_EXPLORE = (sys.executable, "-P", "-m", "screentest.mock_server.cli", "explore")
_RUN_LASTS_S_MAX = 900
_TEXT_MAX = 60
#: The name of an exception at the beginning of the last line of a program.
_EXCEPTION = re.compile(r"\w+(Error|Exception|Timeout)\b")
#: Some messages have lines of their own after the name.
_NAME_EXCEPTION = (
    "import sys; sys.excepthook = lambda kind, *_: print(kind.__name__, file=sys.stderr)"
)


class Client(Struct, frozen=True):
    """A client, and the program in *file* that uses it.

    *package* is its name in the lock of *runtime*: `examples`, `litellm` or `node`; empty for curl.
    *create* and *poll* are operations of *provider*. *breaks* are those that concern the client,
    not the program around it; `lost-again` needs a client that repeats the call. *replaced* are
    texts of the program that name the account.
    """

    name: str
    package: str
    runtime: str
    provider: str
    create: str
    poll: str
    file: str
    breaks: Sequence[str]
    contract: str = ""
    replaced: Mapping[str, str] = {}

    @property
    def version(self) -> str:
        """The version that the lock names."""
        if self.runtime == "node" and self.package:
            wanted: Mapping[str, str] = json.loads(_NODE_PACKAGES.read_text())["devDependencies"]
            return wanted[self.package]
        lock = ROOT / f"requirements-{self.runtime}.lock"
        found = (
            re.search(rf"^{self.package}==(\S+)", lock.read_text(), re.M) if self.package else None
        )
        return found[1] if found is not None else ""

    @property
    def label(self) -> str:
        """The name with the version."""
        return f"{self.name} ({self.version})" if self.package else self.name

    def command(self, folder: Path) -> list[str]:
        """The command that runs the program; *folder* takes what has to be written for it."""
        path = ROOT / self.file
        text = path.read_text()
        for old, new in self.replaced.items():
            assert text.count(old) == 1, (self.file, old)
            text = text.replace(old, new)
        # A sample is kept with a name that no tool takes for code.
        program = folder / path.name.removesuffix(".txt")
        if program.suffix == ".py":
            text = f"{_NAME_EXCEPTION}\n{text}"
        program.write_text(text)
        if program.suffix == ".py":
            return [str(ROOT / ".cache" / self.runtime / "bin" / "python"), str(program)]
        if program.suffix == ".sh":
            return ["sh", str(program)]
        return ["node", str(program)]

    @property
    def cells(self) -> Mapping[str, str]:
        """The cell of each break."""
        places = {it: self.poll if it in _AT_POLLS else self.create for it in self.breaks}
        cells = {name: f"{at}.1:{name.removeprefix('poll-')}" for name, at in places.items()}
        if _AGAIN in cells:
            cells[_AGAIN] = f"{self.create}.1:lost+{self.create}.2:lost"
        return cells


#: Breaks at the paid call, and while the client waits, with the headings of their columns.
_PAID = {
    "lost": "its answer is lost",
    "lost-again": "that of its repetition too",
    "500-done": "500, the work is done",
    "500": "500, no work is done",
    "429": "429, Retry-After: 30",
}
_WAITING = {
    "poll-500": "a poll is answered 500",
    "state": "an unknown state",
    "fails": "the job fails",
    "stalls": "the job never ends",
}
_AGAIN = "lost-again"
_AT_POLLS = {"poll-500", "state"}
_ONCE = tuple(it for it in _PAID if it != _AGAIN)
#: A library without a loop of its own is judged by its single calls.
_CALLS, _ALL = (*_ONCE, "poll-500"), (*_ONCE, *_WAITING)


_WORDS = {
    Verdict.RECOVERED: "recovers",
    Verdict.NOT_MET: "does not happen",
    Verdict.ENDLESS: "does not end",
    Verdict.NO_RESULT: "ends as if all was well",
    Verdict.TOO_EARLY: "calls again too early",
    Verdict.PAID_AFTER_REFUSAL: "pays again after the refusal",
    Verdict.SECRET_IN_URL: "sends a key in a URL",
}

CLIENTS: Sequence[Client] = (
    Client(
        "OpenAI for Python, `create_and_poll`",
        *("openai", "examples", "znapai", "createVideo", "getVideo"),
        *("tools/clients/drive_openai.py", (_AGAIN, *_ALL)),
    ),
    Client(
        "OpenAI for Python, `create_and_poll`",
        *("openai", "litellm", "znapai", "createVideo", "getVideo"),
        *("tools/clients/drive_openai.py", (_AGAIN, *_ALL)),
    ),
    Client(
        "OpenAI for Node.js",
        *("openai", "node", "znapai", "createVideo", "getVideo"),
        *("tools/clients/drive_openai.cjs", (_AGAIN, *_CALLS)),
    ),
    Client(
        "LiteLLM",
        *("litellm", "litellm", "znapai", "createVideo", "getVideo"),
        *("tools/clients/drive_litellm.py", _CALLS),
    ),
    Client(
        "Luma",
        *("lumaai", "examples", "luma", "createGeneration", "getGeneration"),
        *("tools/clients/drive_luma.py", (_AGAIN, *_CALLS), "examples/luma"),
    ),
    Client(
        "Magic Hour, `generate`",
        *("magic-hour", "examples", "magic_hour", "createTextToVideo", "getVideoProject"),
        *("tools/clients/drive_magic_hour.py", _ALL, "examples/magic_hour"),
    ),
    Client(
        "Replicate, `prediction.wait`",
        *("replicate", "examples", "replicate", "createModelPrediction", "getPrediction"),
        *("tools/clients/drive_replicate.py", _ALL, "examples/replicate"),
    ),
    Client(
        "Runway, `wait_for_task_output`",
        *("runwayml", "examples", "runway", "createImageToVideo", "getTask"),
        *("tools/clients/drive_runway.py", (_AGAIN, *_ALL), "examples/runway"),
    ),
    Client(
        "UlazAI's sample for Python, with requests",
        *("requests", "examples", "ulazai", "generateTextToVideo", "getTaskStatus"),
        *("tests/ulazai/samples/poll.py.txt", _ALL, ""),
        {
            '"YOUR_API_KEY"': '__import__("os").environ["ULAZAI_API_KEY"]',
            '"https://ulazai.com/api/v1"': '__import__("os").environ["ULAZAI_BASE_URL"]',
        },
    ),
    Client(
        "UlazAI's sample for Node.js, with axios",
        *("axios", "node", "ulazai", "generateTextToVideo", "getTaskStatus"),
        *("tests/ulazai/samples/poll.js.txt", _ALL, ""),
        {
            "'YOUR_API_KEY'": "process.env.ULAZAI_API_KEY",
            "'https://ulazai.com/api/v1'": "process.env.ULAZAI_BASE_URL",
        },
    ),
    Client(
        "Oshara's sample that polls, with fetch",
        *("", "node", "oshara", "createVideoJob", "getVideoJob"),
        *("tools/clients/drive_oshara.cjs", tuple(_WAITING)),
    ),
    Client(
        "Oshara's first call, with curl",
        *("", "", "oshara", "createVideoJob", "", "tools/clients/sample_oshara.sh", _ONCE),
    ),
    Client(
        "Ozor's quickstart, with curl",
        *("", "", "ozor", "generateVideo", "", "tools/clients/sample_ozor.sh", _ONCE),
    ),
    Client(
        "UGC Copilot's quickstart, with curl",
        *("", "", "ugc_copilot", "proxyStartVideoGeneration", ""),
        *("tools/clients/sample_ugc_copilot.sh", _ONCE),
    ),
    Client(
        "ZnapAI's first call, with curl",
        *("", "", "znapai", "createVideo", "", "tools/clients/sample_znapai.sh", _ONCE),
    ),
)

_HEAD = """# What clients of vendors do

`python -m tools.client_report` runs each client by [`screentest explore`](explore.md), and writes
this page; `make test-sdks` installs the clients and asserts that the page is right. The clients
come from their registries, unmodified, at the versions of the lock files. The programs around them
are in `tools/clients/`: each orders one video, waits for it, and fetches it.

OpenAI's libraries and LiteLLM speak to ZnapAI's contract, which has OpenAI's video API. The
contracts of Luma, Magic Hour, Replicate and Runway are in `examples/`. The samples are those of the
providers' documents.

"""
_TAIL = """
## Reading it

- *pays twice*, *pays three times*: the provider has accepted the same order so often.
- *recovers*: the program has its video, and has paid for one.
- *does not end*: the client still polled after an hour of the world's time.
- *ends as if all was well*: the exit code is 0, and the program has no video.
- *not fetched*: the program has paid for a video that it does not have.
- Texts in `code` are exceptions. Other texts are the last line of the program.
- An empty cell was not tried: the client does not repeat the call, or has no loop of its own.
"""


def results() -> list[tuple[Client, Mapping[str, Json]]]:
    """The cells of each client, by the name of the break.

    Raises:
        SystemExit: a client does not finish its order at a mock that is not disturbed.
    """
    return [(it, _cells(it)) for it in CLIENTS]


def _cells(client: Client) -> Mapping[str, Json]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = [f"--provider={client.provider}", f"--report=json:{report}"]
        options += [f"--contract={ROOT / client.contract}"] * bool(client.contract)
        options += [f"--only={cell}" for cell in client.cells.values()]
        done = subprocess.run(
            [*_EXPLORE, *options, "--", *client.command(Path(folder))],
            env={
                **os.environ,
                "SOURCES": str(ROOT),
                "NODE_PATH": str(ROOT / ".cache" / "node" / "node_modules"),
                # Without it LiteLLM asks GitHub for a list of prices.
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            },
            capture_output=True,
            text=True,
            timeout=_RUN_LASTS_S_MAX,
            check=False,
        )
        if not report.exists():
            raise SystemExit(f"{client.name}: {done.stderr}")
        found = {it["cell"]: it for it in json.loads(report.read_text())["cells"]}
    return {name: found[cell] for name, cell in client.cells.items()}


def page(found: Sequence[tuple[Client, Mapping[str, Json]]]) -> str:
    """The page about *found*."""
    tables = [
        "## At the paid call\n",
        *_table([it for it in found if "lost" in it[1]], _PAID),
        "\n## While it waits\n",
        *_table([it for it in found if "poll-500" in it[1]], _WAITING),
    ]
    return _HEAD + "\n".join(tables) + "\n" + _TAIL


def _table(
    found: Sequence[tuple[Client, Mapping[str, Json]]], columns: Mapping[str, str]
) -> Iterator[str]:
    yield f"| Client | {' | '.join(columns.values())} |"
    yield "|---" * (len(columns) + 1) + "|"
    for client, cells in found:
        shown = [_shown(cells[it]) if it in cells else "" for it in columns]
        yield f"| {client.label} | {' | '.join(shown)} |"


def _shown(cell: Json) -> str:
    """What the client did, in a few words."""
    return "; ".join(_said(Verdict[name], cell) for name in cell["verdicts"])


def _said(verdict: Verdict, cell: Json) -> str:
    if verdict is Verdict.PAID_TWICE:
        count = int(cell["bought"])
        return f"**pays {({2: 'twice', 3: 'three times'}).get(count, f'{count} times')}**"
    if verdict in _WORDS:
        return f"**{_WORDS[verdict]}**" if verdict.is_bad else _WORDS[verdict]
    _, _, detail = cell["ending"]["detail"].partition(": ")
    exception = _EXCEPTION.match(detail)
    text = f"`{exception[0]}`" if exception is not None else detail[:_TEXT_MAX] or "an error"
    return f"{text}, **not fetched**" if verdict is Verdict.GAVE_UP else text


if __name__ == "__main__":
    PAGE.write_text(page(results()), encoding="utf-8")
    sys.stdout.write(f"{PAGE} is written\n")
