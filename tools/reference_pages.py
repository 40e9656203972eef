"""Writes the pages of docs/ that are made from tables, contracts and help texts.

`python -m tools.reference_pages` writes them; with `--check` it only says which are out of date.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import click

from screentest.mock_server.cli.exit_codes import EXIT_CODES
from screentest.mock_server.cli.main import VERBS, cli
from screentest.mock_server.cli.settings import SETTINGS
from screentest.mock_server.findings.explanations import Example, Explanation, explanations
from screentest.mock_server.kernel import magic
from screentest.specs.behaviour.behaviour import Behaviour
from screentest.specs.behaviour.interpretations import Interpretation
from screentest.specs.contracts.registry import load_contract, shipped_contracts
from screentest.specs.describing.schemas import FORMATS

from .contract_format import format_page, schema_text

DOCS = Path(__file__).resolve().parent.parent / "docs"
_GENERATED = "<!-- Written by tools/reference_pages.py; change what it reads instead. -->"
#: Help texts are wrapped as for a terminal of this width.
_WIDTH = 80
_GROUPS = (
    ("SC1", "The request"),
    ("SC2", "Cadence and repetition"),
    ("SC3", "Webhooks"),
    ("SC4", "Keys, ownership, state, money"),
    ("SC5", "The mock itself"),
)
_FINDINGS = """\
The journal reports each request that a provider refuses or advises against: with a stable code,
the expected and the actual value, and the provider's own rule. `screentest logs` shows them, and
`screentest explain CODE` prints the same text. A warning never changes an answer."""
_MEASURED = """\
`tests/plugin/corpus/` has small clients: bad ones with one mistake each, from an issue of a public
project, a document or a clause of a provider, and good ones in different styles. A bad client
counts as found if its own code is among the findings; a good one may have none at all.

| Clients | Bad | Found, seeds 1 to 5 | Good | Accused, seeds 1 to 5 |
|---|---|---|---|---|
| Python: requests, httpx, urllib3, asyncio, anyio, threads | 66 | 330 of 330 | 32 | 0 of 160 |
| Python: tenacity, backoff, stamina, OpenAI SDK, aiohttp, httpx-sse | 7 | 35 of 35 | 7 | 0 of 35 |
| Node.js: fetch, axios, axios-retry, OpenAI SDK | 20 | 100 of 100 | 12 | 0 of 60 |

`make test` runs the first row with seed 1, `make test-neighbours` the second one, and
`make test-slow` all seeds and Node.js. The code of SC215 to SC219 and SC408 above is among the
clients, as it is printed."""
_UNSEEN = """A mock sees requests, and not what a client does with the answers:

- **A redirect to another host** is in no document, so the mock sends none, and a request to a host
  that is not the provider's does not arrive. SC408 sees a key that arrives with the URL of a file,
  whether the client had it from an answer or from a redirect of its own proxy.
- **A file that was not verified.** SC219 sees that a broken download was not repeated. A client
  that deletes the file and reports the failure looks the same, so it is a warning.
- **What is done twice after one end** is seen by SC218 if it is a paid call to the same provider
  about the same job. A mail that is sent twice is not seen.
- **A file that is uploaded again** is a mistake only if the first upload was answered and a later
  call failed: without a failure in between two uploads may be wanted, and SC217 does not name them.
- **An answer that came too late.** A client that gave up by a time-out of its own looks like one
  that has read the answer, unless a fault delayed it."""
_MAGIC = """\
Directives are for clients that cannot reach the control API. A directive works in any text of a
request body, such as a prompt, a message, a title or a script. The first one in a body counts. A
suffix works at the end of a valid key."""
_MAGIC_OFF = """\
`POST /_screentest/worlds` with `{"magic": false}` creates a world that ignores them.

## A fault for one request

The header `X-Screentest-Fault` orders a fault for the request that has it. A world accepts it once
it is switched on, because a client that sends it by mistake must not change what a test sees:
`POST /_screentest/worlds` or `PATCH /_screentest/worlds/default` with `{"fault_header": true}`.

```http
X-Screentest-Fault: http_error; status=503; retry_after_s=5; phase=after_commit
X-Screentest-Fault: latency; delay_ms=2000
X-Screentest-Fault: reset_peer; phase=after_commit
```

The types and their attributes are those of `screentest fault types`, without those of deliveries.
The journal lists the fault with the request. A header that does not fit the call is refused
with 400 `invalid_fault`, which is not the provider's answer. In a world that does not accept it the
header changes nothing, and the finding SC114 says so; also about a fault that did not apply."""
_READINGS = """\
Where a provider's document is silent or contradicts itself, the mock follows one reading, with the
reason given here. Where the real service may behave differently, there are alternatives to test a
client against. Switch a world with
`PATCH /_screentest/worlds/{world}/interpretations` and a body such as
`{"ozor.foreign_resource": "404"}`; a test of pytest with `screentest_options` or
`world.interpret(ozor__foreign_resource="404")`. Interpretations without an alternative are listed
so that every choice is documented."""
_CLI = """\
Results go to stdout, messages to stderr. `--json` prints exactly one JSON document, or one per line
where a verb follows something. Only terminals get colours; `NO_COLOR` and `FORCE_COLOR` override
that."""
_RUN_CODES = """\
The codes are the same for every verb. Only `screentest run` passes on the exit code of its command:
128 + N if signal N ended it, 1 if the command exited 0 but `--fail-on` was triggered, 3 if it
exited 0 but the mock ended before it. `run` and `explore` exit with 127 if the command does not
exist, and with 126 if it cannot be executed.
`screentest serve` exits 0 when Ctrl+C or SIGTERM stops it."""
_PRECEDENCE = """\
The first source that has a value decides:

| Command line | pytest |
|---|---|
| 1. the option, such as `--clock` | 1. the option, such as `--screentest-clock` |
| 2. the variable `SCREENTEST_…` | 2. the marker `screentest`, the one nearest to the test first |
| 3. `[tool.screentest]` of `pyproject.toml` | 3. a conftest's own fixture `screentest_options` |
| 4. the default | 4. the ini line `screentest_…` |
| | 5. the variable `SCREENTEST_…` |
| | 6. the default |

`pyproject.toml` is the nearest one upwards from the working folder that has the table.

`screentest config` prints each setting with its value and source. Unknown keys are refused. Several
values are a list in the file, and words separated by blanks in a variable."""
_TOKEN = """\
`SCREENTEST_CONTROL_TOKEN` is sent with every control call, and `serve` requires it of every caller.
It cannot be set in `pyproject.toml`, because secrets do not belong in committed files. The
key of the real server of `serve --upstream` is `SCREENTEST_UPSTREAM_API_KEY`, or for a token
`SCREENTEST_UPSTREAM_BEARER`; no option takes it."""


def findings_page() -> str:
    """Every finding with what it means, and wrong and right code."""
    known = list(explanations().values())
    lines = ["# Findings", "", _GENERATED, "", *_FINDINGS.splitlines(), ""]
    for prefix, title in _GROUPS:
        group = [it for it in known if it.code.startswith(prefix)]
        if not group:
            continue
        lines += [f"## {title}", "", *_table(("Code", "Severity", "Meaning"), _rows(group)), ""]
        for it in group:
            lines += _finding(it)
    lines += ["## What is measured", "", *_MEASURED.splitlines(), ""]
    lines += ["## What cannot be seen", "", *_UNSEEN.splitlines(), ""]
    return _page(lines)


def _rows(group: Sequence[Explanation]) -> Iterator[Sequence[str]]:
    for it in group:
        yield f"[{it.code}](#{it.code.lower()})", it.severity, it.title


def _finding(it: Explanation) -> list[str]:
    lines = [f"### {it.code}", "", f"**{_sentence(it.title)}** {it.what}", "", it.why, ""]
    for language, example in (("python", it.python), ("typescript", it.typescript)):
        lines += [f"```{language}", *_code(language, example), "```", ""]
    return lines


def _code(language: str, example: Example) -> Iterator[str]:
    mark = "#" if language == "python" else "//"
    yield f"{mark} wrong"
    yield from example.wrong.splitlines()
    yield ""
    yield f"{mark} right"
    yield from example.right.splitlines()


def magic_page() -> str:
    """What can be ordered inside a text of a request, or at the end of a key."""
    texts = [(f"`{_spelling(verb)}`", detail) for verb, detail in magic.VERBS.items()]
    keys = [(f"`{suffix}`", detail) for suffix, detail in magic.KEY_SUFFIXES.items()]
    lines = ["# Magic values", "", _GENERATED, "", *_MAGIC.splitlines(), ""]
    lines += [*_table(("In a text", "What happens"), texts), ""]
    lines += [*_table(("At the end of a key", "What happens"), keys), ""]
    return _page([*lines, *_MAGIC_OFF.splitlines()])


def _spelling(verb: str) -> str:
    shown = {"fail": "fail]]` or `[[screentest:fail=REASON", "slow": "slow=60s"}
    return f"[[screentest:{shown.get(verb, verb)}]]"


def interpretations_page() -> str:
    """Every point on which a document is silent: what was chosen, why, and what else there is."""
    lines = ["# Interpretations", "", _GENERATED, "", *_READINGS.splitlines(), ""]
    for name in shipped_contracts().names:
        behaviour = load_contract(name).behaviour
        lines += [f"## {behaviour.name}", "", *_switches(behaviour), ""]
        fixed = [it for it in behaviour.interpretations.values() if not it.alternatives]
        rows = ((it.id, f"`{name}.{it.name}`", f"`{it.default}`", it.reason) for it in fixed)
        lines += ["No other reading:", "", *_table(("Id", "Point", "Reading", "Why"), rows), ""]
    return _page(lines)


def _switches(behaviour: Behaviour) -> list[str]:
    known = behaviour.interpretations.values()
    rows = (_switch(behaviour.provider, it) for it in known if it.alternatives)
    return _table(("Id", "Point", "Default, and why", "Other readings"), rows)


def _switch(provider: str, it: Interpretation) -> Sequence[str]:
    others = "<br>".join(f"`{value}`: {detail}" for value, detail in it.alternatives.items())
    return it.id, f"`{provider}.{it.name}`", f"`{it.default}`: {it.reason}", others


def cli_page() -> str:
    """Every verb with its help, the settings, and the exit codes."""
    codes = [(str(int(code)), detail) for code, detail in EXIT_CODES.items()]
    settings = _table(("Key", "Variable", "Default", "What it is"), _settings())
    lines = ["# The command line", "", _GENERATED, "", *_CLI.splitlines(), ""]
    lines += ["## Exit codes", "", *_table(("Code", "Meaning"), codes), ""]
    lines += [*_RUN_CODES.splitlines(), "", "## Settings", "", *_PRECEDENCE.splitlines(), ""]
    lines += [*settings, "", *_TOKEN.splitlines(), ""]
    for verb in VERBS:
        command = cli.get_command(click.Context(cli), verb)
        assert command is not None
        lines += _verb(command, verb)
    return _page(lines)


def _settings() -> Iterator[Sequence[str]]:
    for name, it in SETTINGS.items():
        default = "" if it.default in (None, []) else f"`{str(it.default).lower()}`"
        yield f"`{name}`", f"`{it.variable}`", default, it.help


def _verb(command: click.Command, verb: str) -> list[str]:
    lines = [f"## screentest {verb}", "", *_help(command, f"screentest {verb}"), ""]
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            lines += [f"### screentest {verb} {name}", ""]
            lines += [*_help(below, f"screentest {verb} {name}"), ""]
    return lines


def _help(command: click.Command, called: str) -> list[str]:
    context = click.Context(
        command,
        info_name=called,
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
        help_option_names=["-h", "--help"],
    )
    return ["```text", *command.get_help(context).splitlines(), "```"]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return lines + [f"| {' | '.join(row)} |" for row in rows]


def _sentence(title: str) -> str:
    return f"{title[0].upper()}{title[1:]}."


def _page(lines: Sequence[str]) -> str:
    return "\n".join(lines).rstrip("\n") + "\n"


#: By path from `docs/`. The schemas come first: contracts are checked by them.
PAGES: Mapping[str, Callable[[], str]] = {
    **{f"../specs/schemas/{it}.schema.json": partial(schema_text, it) for it in FORMATS},
    "contract-format.md": lambda: _page(format_page(_GENERATED)),
    "findings.md": findings_page,
    "magic.md": magic_page,
    "interpretations.md": interpretations_page,
    "cli.md": cli_page,
}


def stale_pages() -> list[str]:
    """The pages that are not what they would be if they were written now."""
    return [name for name in PAGES if _is_stale(name)]


def _is_stale(name: str) -> bool:
    path = DOCS / name
    return not path.exists() or path.read_text(encoding="utf-8") != PAGES[name]()


def main() -> None:
    """Write the pages, or with --check say which are stale and exit with 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say which pages are stale")
    if parser.parse_args().check:
        stale = stale_pages()
        print("\n".join(stale) or "all pages are up to date")
        sys.exit(int(bool(stale)))
    for name in PAGES:
        if _is_stale(name):
            (DOCS / name).write_text(PAGES[name](), encoding="utf-8")
            print(f"wrote docs/{name}")


if __name__ == "__main__":
    main()
