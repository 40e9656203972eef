"""The part of the house style that a machine can hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from .tree import FOLDERS, ROOT, is_vendor_module, project_files, python_files, syntax, text_files

FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 350
TEST_MODULE_LINES_MAX = 500
PROVIDER_LINES_MAX = 300
CLASS_METHODS_MAX = 25

#: Names that say nothing about what is inside.
EMPTY_NAMES = {"base", "common", "data", "helpers", "manager", "utils"}

#: Vendor module -> the word that gives the vendor away.
VENDOR_WORDS = {
    "ozor": "ozor",
    "znapai": "znapai",
    "ugc_copilot": "ugc",
    "ulazai": "ulazai",
    "oshara": "oshara",
}

#: What makes two runs with one seed differ, by module; None means the whole module.
NONDETERMINISM: dict[str, set[str] | None] = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "os": {"urandom", "getrandom"},
    "random": None,
    "secrets": None,
    "time": None,
    "uuid": {"uuid1", "uuid4"},
}
#: A generator that is seeded by its owner, and the formatting half of `time`.
DETERMINISTIC = {"random.Random", "time.gmtime", "time.strftime", "time.struct_time"}

LIVE_KEY = re.compile(r"(sk|rk)_live_[0-9a-zA-Z]{10,}|ugc_live_\w{8,}|ulazai_live_\w{8,}")
# Written in pieces, or this file would be its own offender.
BARE_TODO = re.compile(r"\bTO" + r"DO\b(?!\s?\(?#\d+)")
OUTSIDE_FOLDER = re.compile(r"(?<![\w/])(\.\./)?shared" + "/")


def _line_count(path: Path) -> int:
    return len((ROOT / path).read_text(encoding="utf-8").splitlines())


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_function_is_longer_than_a_screen() -> None:
    too_long = [
        f"{path}:{node.lineno} {node.name} has {length} lines, {FUNCTION_LINES_MAX} at most"
        for path in python_files()
        for node in _functions(path)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]

    assert too_long == [], "\n".join(too_long)


def test_no_module_is_longer_than_its_kind_may_be() -> None:
    too_long = [
        f"{path} has {count} lines, {most} at most: split it by idea"
        for path in python_files()
        for most in [TEST_MODULE_LINES_MAX if path.parts[0] == "tests" else MODULE_LINES_MAX]
        if (count := _line_count(path)) > most
    ]

    assert too_long == [], "\n".join(too_long)


def test_no_class_has_more_methods_than_a_reader_can_hold() -> None:
    too_wide = [
        f"{path}:{node.lineno} {node.name} has {count} methods, {CLASS_METHODS_MAX} at most"
        for path in python_files()
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.ClassDef)
        for count in [sum(isinstance(it, ast.FunctionDef) for it in node.body)]
        if count > CLASS_METHODS_MAX
    ]

    assert too_wide == [], "\n".join(too_wide)


def test_a_vendor_module_stays_small_because_the_contract_says_the_rest() -> None:
    too_long = [
        f"{path} has {count} lines, {PROVIDER_LINES_MAX} at most: move facts to behaviour.yaml"
        for path in python_files("mock_server")
        if path.parts[1] == "providers" and (count := _line_count(path)) > PROVIDER_LINES_MAX
    ]

    assert too_long == [], "\n".join(too_long)


def test_every_module_is_named_after_what_is_inside() -> None:
    empty_names = [
        f"{path}: a module or folder named {part!r} does not say what is in it"
        for path in python_files()
        for part in (*path.parts[:-1], path.stem)
        if part in EMPTY_NAMES
    ]

    assert empty_names == [], "\n".join(empty_names)


def test_a_package_file_is_a_docstring_and_nothing_else() -> None:
    with_code = [
        f"{path}:{node.lineno} code in a package file; only src/screentest/__init__.py has some"
        for path in python_files()
        if path.name == "__init__.py" and path.parts[0] != "src"
        for node in syntax(path).body
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]

    assert with_code == [], "\n".join(with_code)


def _nondeterministic_uses(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything in *tree* that asks the outside for a time or a chance."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            uses = [(owner, node.attr)]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            uses = [(node.module, alias.name) for alias in node.names]
        else:
            continue
        for owner, name in uses:
            banned = NONDETERMINISM.get(owner, set())
            dotted = f"{owner}.{name}"
            if (banned is None or name in banned) and dotted not in DETERMINISTIC:
                yield node.lineno, dotted


def test_the_kernel_gets_time_and_chance_as_arguments() -> None:
    """The system clock, sleep and unseeded random belong to http/ and cli/ alone."""
    uses = [
        f"{path}:{line} uses {dotted}: take now, a sleeper or a seeded Random as an argument"
        for path in python_files("mock_server", "specs")
        if path.parts[:2] not in {("mock_server", "http"), ("mock_server", "cli")}
        for line, dotted in _nondeterministic_uses(syntax(path))
    ]

    assert uses == [], "\n".join(uses)


def test_sql_is_spoken_in_the_store_alone() -> None:
    sql = [
        f"{path}:{node.lineno} calls {node.func.attr}(): ask mock_server/store/ for it"
        for path in python_files(*FOLDERS)
        # What runs/phases.py executes is the engine of schemathesis.
        if path.parts[:2] not in {("mock_server", "store"), ("contract_tests", "runs")}
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"execute", "executemany", "executescript"}
    ]

    assert sql == [], "\n".join(sql)


def _words(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of every name and every string in *tree*; comments are free."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 1)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield line, node.value
        elif isinstance(node, ast.Name):
            yield line, node.id
        elif isinstance(node, ast.Attribute):
            yield line, node.attr
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield line, node.name
        elif isinstance(node, ast.arg | ast.keyword):
            yield line, node.arg or ""
        elif isinstance(node, ast.alias):
            yield line, node.name


def test_a_vendor_is_named_in_its_own_files_alone() -> None:
    """What differs between vendors is a fact in a contract, never a branch in the engine."""
    named = [
        f"{path}:{line} names {word!r}; say it in specs/{vendor}/ or in its provider module"
        for path in python_files("mock_server", "specs")
        for vendor, word in VENDOR_WORDS.items()
        if vendor not in path.parts and not is_vendor_module(path, vendor)
        for line, text in _words(syntax(path))
        if word in text.lower()
    ]

    assert named == [], "\n".join(named)


def test_nothing_that_looks_like_a_live_key_is_kept() -> None:
    keys = [
        f"{path}: {match[0][:16]}... looks like a live key; mint one from the mock at run time"
        for path, text in text_files()
        for match in LIVE_KEY.finditer(text)
    ]

    assert keys == [], "\n".join(keys)


def test_every_promise_names_its_issue() -> None:
    bare = [
        f"{path}:{number} has a promise without an issue: write TO" + "DO(#12)"
        for path, text in text_files()
        for number, line in enumerate(text.splitlines(), start=1)
        if BARE_TODO.search(line)
    ]

    assert bare == [], "\n".join(bare)


def test_nothing_points_outside_the_project() -> None:
    pointers = [
        f"{path}:{number} points to a folder that a clone does not have"
        for path, text in text_files()
        for number, line in enumerate(text.splitlines(), start=1)
        if OUTSIDE_FOLDER.search(line)
    ]

    assert pointers == [], "\n".join(pointers)


def test_the_rules_look_at_real_files() -> None:
    """A listing that came back empty would make every rule above pass."""
    assert Path("pyproject.toml") in project_files()
    assert Path("tests/test_tidy.py") in python_files("tests")
