"""`screentest new`: what it prints, and that bad input leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from screentest.mock_server.cli.exit_codes import Exit

from .lamp import run, write_document


def test_it_ends_with_the_lifecycle_and_the_questions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_document(tmp_path)

    code = run(monkeypatch, "new", "lamp", "--from", "vendor.json")
    printed = capfd.readouterr()

    assert code == Exit.OK
    assert printed.out == (
        "video:\n"
        "  queued (1-5 s) → rendering (20-60 s) → done\n"
        "  rendering → failed (failed)\n"
        "  queued | rendering → canceled (closed)\n"
        "not known:\n"
        "  - what else changes with time; these answer examples: listVoices\n"
    )
    assert printed.err == (
        "wrote lamp: 19 guesses, 1 questions\n"
        "next: screentest serve --contract lamp --provider lamp\n"
    )
    assert sorted(it.name for it in Path("lamp").iterdir()) == [
        "behaviour.schema.json",
        "behaviour.yaml",
        "openapi.json",
    ]
    assert Path("lamp/openapi.json").read_text() == Path("vendor.json").read_text()


def test_files_that_a_document_refers_to_become_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("error.yaml").write_text("type: object\nproperties: {message: {type: string}}\n")
    Path("api.yaml").write_text(
        "openapi: 3.1.0\ninfo: {title: Lamp, version: '1'}\n"
        "paths:\n  /v1/ping:\n    get:\n      responses:\n        default:\n"
        "          description: an error\n"
        "          content: {application/json: {schema: {$ref: error.yaml}}}\n"
    )

    code = run(monkeypatch, "new", "lamp", "--from", "api.yaml")

    assert code == Exit.OK
    assert "$ref: '#/components/schemas/error'" in Path("lamp/openapi.yaml").read_text()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--from=text",), Exit.INVALID, 'text:1: the document is not of type "object"'),
        (("--from=/dev/zero",), Exit.INVALID, "/dev/zero: this is not a regular file"),
        (("--from=large",), Exit.INVALID, "large is larger than 16777216 bytes"),
        (
            ("--from=vendor.json", "--from=vendor.json", "--from=vendor.json"),
            Exit.INVALID,
            "got a third",
        ),
        (("--from=vendor.json", "--har=odd.har"), Exit.INVALID, "odd.har: entry 1: "),
        (("--from=empty.har",), Exit.INVALID, "no recorded call has an answer of JSON"),
        (("--from=vendor.json", "--only=getVidio"), Exit.USAGE, "did you mean 'getVideo'?"),
        (("--from=vendor.json", "--into=taken"), Exit.USAGE, "cannot write taken: it exists"),
        (("--from=vendor.json", "--into=link"), Exit.USAGE, "cannot write link: it exists"),
        (("--from=vendor.json", "--into=text/lamp"), Exit.USAGE, "text: File exists"),
        (("--from=vendor.json", "--into=/proc/lamp"), Exit.USAGE, "No such file or directory"),
    ],
    ids=lambda it: " ".join(it) if isinstance(it, tuple) else "",
)
def test_bad_input_is_one_line_and_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: Exit,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_document(tmp_path)
    Path("text").write_text("only words\n")
    Path("large").write_bytes(b"a" * (16 * 1024 * 1024 + 1))
    Path("odd.har").write_text('{"log": {"entries": [{"request": 1}]}}')
    Path("empty.har").write_text('{"log": {"entries": []}}')
    Path("taken").mkdir()
    Path("link").symlink_to("nowhere")
    before = sorted(tmp_path.rglob("*"))

    ended = run(monkeypatch, "new", "lamp", *words)
    first, *rest = capfd.readouterr().err.splitlines()

    assert ended == code
    assert first.startswith("error: ")
    assert message in first
    assert all(it.startswith("hint: ") for it in rest)
    assert sorted(tmp_path.rglob("*")) == before
