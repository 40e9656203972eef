"""The cost of the plugin in a project that does not use it is small."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

import screentest
from screentest.fixtures.import_hook import NoAssertRewrite

from ..yardstick import slowness

#: Processor time for loading the plugin, in the fastest of some fresh processes: other work on the
#: machine makes processes slower, and never faster.
IMPORT_MS_MAX = 3.0
PROCESSES = 9

LOADED = """
import json, sys
import pytest
before = set(sys.modules)
import screentest.fixtures.plugin
print(json.dumps(sorted(set(sys.modules) - before)))
"""
TIMED = """
import time
import pytest
began = time.process_time()
import screentest.fixtures.plugin
print((time.process_time() - began) * 1000)
"""


def _ask(script: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout


def test_the_plugin_loads_nothing_but_itself() -> None:
    loaded: list[str] = json.loads(_ask(LOADED))

    assert [name for name in loaded if not name.startswith("screentest")] == []
    assert "screentest.fixtures.plugin" in loaded
    assert len(loaded) <= 3


def test_a_program_that_is_explored_loads_only_what_moves_its_clock() -> None:
    """Each of the runs is a process that loads it."""
    script = (
        "import sys, screentest.fixtures.child\n"
        "print(sorted({'asyncio', 'inspect', 'msgspec', 'screentest.specs'} & set(sys.modules)))\n"
    )

    assert _ask(script) == "[]\n"


@pytest.mark.long
def test_a_run_that_uses_no_fixture_of_ours_loads_no_engine() -> None:
    script = (
        "import sys, pytest\n"
        "pytest.main(['-q', '-p', 'no:schemathesis', '-p', 'no:cacheprovider', '--collect-only',"
        " '--rootdir=/tmp', '--noconftest', '-c', '/dev/null', '/dev/null'])\n"
        "print(sorted({'flask', 'yaml', 'jsonschema_rs', 'werkzeug', 'screentest.fixtures.run'}"
        " & set(sys.modules)))\n"
    )

    assert _ask(script).splitlines()[-1] == "[]"


def test_a_world_loads_nothing_that_only_calls_need(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import sys\n"
        "before = set(sys.modules)\n"
        "def test_it(screentest):\n"
        "    loaded = sys.modules.keys() - before\n"
        "    print(sorted({'flask', 'jsonschema_rs', 'werkzeug', 'yaml',"
        " 'screentest.mock_server.http.edge', 'screentest.mock_server.pipeline.handle',"
        " 'screentest.specs.openapi.operations'} & loaded))\n"
    )
    script = (
        "import pytest\n"
        "pytest.main(['-qs', '-p', 'no:schemathesis', '-p', 'no:hypothesispytest', '-p',"
        f" 'no:cacheprovider', '--rootdir={tmp_path}', '-c', '/dev/null', '{tmp_path}'])\n"
    )

    assert _ask(script).splitlines()[0] == "[]"


def test_our_modules_are_found_before_pytest_rewrites_them_and_our_suites_are_not() -> None:
    finder, package = NoAssertRewrite(), [str(Path(screentest.__file__).parent)]

    spec = finder.find_spec("screentest.specs", package)

    assert spec is not None
    assert isinstance(spec.loader, SourceFileLoader)
    assert finder.find_spec("screentest.contract_tests", package) is None
    assert finder.find_spec("json", None) is None


@pytest.mark.slow
def test_the_plugin_loads_in_three_milliseconds() -> None:
    times_ms = [float(_ask(TIMED)) for _ in range(PROCESSES)]

    assert min(times_ms) <= IMPORT_MS_MAX * slowness(), times_ms
