"""Every code block of the how-to pages runs, and pytest prints the output that the pages show."""

from __future__ import annotations

import shlex

import pytest

# Loaded here, so that the runs inside this process do not have to load it.
import screentest.specs.yaml_loader  # pyright: ignore[reportUnusedImport]  # noqa: F401
from tests.pages import DOCS, blocks, pattern

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.usefixtures("only_our_plugin")

PLUGIN = "screentest.fixtures.plugin"
PAGES = sorted(path.name for path in DOCS.glob("pytest-*.md"))


def _run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess("-p", PLUGIN, *arguments)


def _all_passed(result: pytest.RunResult) -> bool:
    outcomes = result.parseoutcomes()
    return outcomes.pop("passed", 0) > 0 and not outcomes


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_a_page_does_what_it_says(pytester: pytest.Pytester, page: str) -> None:
    """A python block is a test module. An ini or console block uses the module before it."""
    for number, (language, text) in enumerate(_blocks(page)):
        if language == "python":
            for old in pytester.path.glob("test_*.py"):
                old.unlink()
            pytester.makeini("[pytest]")
            name = f"test_block_{number}"
            pytester.makepyfile(**{name: text})
            # A block before an ini or console block runs only together with that one.
            if _next_language(page, number) == "python":
                assert _all_passed(_run(pytester)), f"{page}, block {number}"
        elif language == "ini":
            pytester.makeini(text)
            assert _all_passed(_run(pytester)), f"{page}, block {number}"
        else:
            command, *shown = text.strip().splitlines()
            result = _run(pytester, *shlex.split(command.removeprefix("$ pytest")))
            result.stdout.fnmatch_lines([pattern(line) for line in shown])


def _blocks(page: str) -> list[tuple[str, str]]:
    """The blocks for Python; `clients/typescript/test/package/docs.test.ts` runs the others."""
    return [block for block in blocks(DOCS / page) if block[0] != "ts"]


def _next_language(page: str, number: int) -> str:
    following = _blocks(page)[number + 1 : number + 2]
    return following[0][0] if following else "python"


@pytest.mark.parametrize("page", PAGES)
def test_no_block_of_a_page_is_passed_over(page: str) -> None:
    """A fence that the parser does not recognise would hide its block from the test above."""
    fences = [line for line in (DOCS / page).read_text().splitlines() if line.lstrip()[:3] == "```"]
    found = blocks(DOCS / page)

    assert len(fences) == 2 * len(found) > 0
    assert {language for language, _ in found} <= {"python", "ini", "console", "ts"}


def test_there_are_pages() -> None:
    """Without pages the tests above would pass."""
    assert PAGES == [
        "pytest-clients.md",
        "pytest-failures.md",
        "pytest-first-test.md",
        "pytest-money.md",
        "pytest-recipes.md",
        "pytest-reports.md",
        "pytest-time.md",
        "pytest-webhooks.md",
    ]
