"""S15, S17, S20 and S24: hostile files and texts. Each test is named after its requirement."""

from __future__ import annotations

import io
import json
import re
import struct
import subprocess
import sys
import tempfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from screentest.mock_server.media.file_types import file_type
from screentest.specs.contracts.contract import read_contract
from screentest.specs.errors import ContractError
from tests.mock_client import Account, Answer, Client, File, MockWorld
from tests.oshara import steps as oshara
from tests.ozor import steps as ozor_steps

_MEMORY_MAX = 10 * 1024 * 1024
_SECONDS_MAX = 0.2

# --- S15: YAML ------------------------------------------------------------------------------------


def _nine_times(levels: int) -> str:
    """Lists of nine aliases to the previous list: few bytes in the file, many in memory."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, levels + 1):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]")
    return "\n".join(lines)


_BOMBS = {
    "aliases": (_nine_times(9), "more than 100000000 characters with its aliases written out"),
    "many levels": (_nine_times(60), "more than 100000000 characters"),
    "text": (f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 1_000)}]", "more than 100000000"),
    "keys": (f"a: &a {{? [{'x, ' * 9}] : 1}}\nb: {{? *a : 1", "this is not YAML"),
    "merges": ("a: &a {x: 1}\nb: &b {<<: *b}", "endless: alias 'b' is inside"),
    "itself": ("a: &a\n  b: *a", "endless: alias 'a' is inside its own anchor"),
    "brackets": ("a: " + "[" * 100_000, "nested more than 64 levels deep"),
    "braces": ("{a: " * 100_000, "nested more than 64 levels deep"),
    "dashes": ("- " * 100_000 + "x", "nested more than 64 levels deep"),
    "closed": ("a: " + "[" * 65 + "]" * 65, "nested more than 64 levels deep"),
    "number": ("a: " + "9" * 10_000, "this is not YAML: a number of 10000 characters"),
    "hexadecimal": ("a: 0x" + "f" * 10_000, "a number of 10002 characters"),
    "object": ("a: !!python/object/apply:os.getpid []", "this is not YAML"),
    "module": ("a: !!python/module:os", "this is not YAML"),
    "instant": ("a: !!timestamp 2026-99-99", "this is not YAML"),
    "anchor": ("a: *nowhere", "this is not YAML"),
    "no text": ("a: \x00", "this is not YAML"),
    "half": ('{"a": "\\ud83d"}', "this is not YAML: found invalid Unicode character"),
}


@pytest.mark.parametrize("name", ["behaviour.yaml", "openapi.yaml"])
@pytest.mark.parametrize("bomb", _BOMBS)
def test_s15_yaml_bomb_is_refused_in_a_line_and_does_not_grow(
    tmp_path: Path, bomb: str, name: str
) -> None:
    text, detail = _BOMBS[bomb]
    for path in oshara.SPEC.iterdir():
        if path.name.endswith(".yaml"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / name).write_text(text)
    tracemalloc.start()

    try:
        with pytest.raises(ContractError, match=re.escape(detail)):
            len(read_contract(tmp_path).operations)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 2 * _MEMORY_MAX


def test_s15_bomb_on_the_command_line_is_one_line_and_exit_code_4(tmp_path: Path) -> None:
    (tmp_path / "behaviour.yaml").write_text(_BOMBS["brackets"][0])
    (tmp_path / "openapi.yaml").write_text("openapi: 3.1.0\npaths: {}")

    linted = subprocess.run(
        [sys.executable, "-m", "screentest.mock_server.cli", "spec", "lint", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert linted.returncode == 4
    assert linted.stderr == (
        f"error: {tmp_path}/behaviour.yaml:1: nested more than 64 levels deep\n"
        "1 checked, 1 invalid\n"
    )


# --- S17: archives --------------------------------------------------------------------------------


def _archive(*names: str, content: bytes = b"", times: int = 1) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for number in range(times):
            for name in names:
                archive.writestr(name.format(number), content)
    return buffer.getvalue()


def _directory(entries: int, declared: int, *, size: int | None = None) -> bytes:
    """A directory of *entries* entries without content, whose end record says *declared*."""
    entry = struct.pack("<4s24xHHH12x", b"PK\x01\x02", 1, 0, 0) + b"x"
    directory = entry * entries
    length = len(directory) if size is None else size
    end = struct.pack("<4s4xHHII2x", b"PK\x05\x06", declared, declared, length, 4)
    return b"PK\x03\x04" + directory + end


def _hostile_archives() -> dict[str, tuple[Callable[[], bytes], str | None]]:
    office = ("[Content_Types].xml", "word/document.xml")
    inner = _archive("0.zip", content=bytes(1_000_000))
    return {
        "bomb": (lambda: _archive(*office, content=bytes(100 * 1024 * 1024)), "docx"),
        "nested": (lambda: _archive(*office, "word/in.zip", content=inner), "docx"),
        "a million entries": (lambda: _directory(1_000_000, 0xFFFF), "zip"),
        "a million declared as three": (lambda: _directory(1_000_000, 3), "zip"),
        "three declared as a thousand": (lambda: _directory(3, 1_000), None),
        "larger than the file": (lambda: _directory(3, 3, size=4_000_000), None),
        "size of four gigabytes": (lambda: _directory(3, 3, size=0xFFFF_FFFF), "zip"),
        "smaller than its entries": (lambda: _directory(3, 3, size=50), None),
        "no end": (lambda: _archive(*office)[:-22], None),
        "end cut": (lambda: _archive(*office)[:-5], None),
        "climbing names": (lambda: _archive("../../[Content_Types].xml", "../word/x"), "zip"),
        "head alone": (lambda: b"PK\x03\x04", None),
    }


@pytest.mark.parametrize("name", _hostile_archives())
def test_s17_archive_is_recognised_by_its_directory_and_never_inflated(
    tmp_path: Path, name: str
) -> None:
    make, kind = _hostile_archives()[name]
    path = tmp_path / "upload"
    path.write_bytes(make())
    tracemalloc.start()
    started = time.perf_counter()

    try:
        found = file_type(path.read_bytes()[:512] if name == "head alone" else b"PK\x03\x04", path)
        took_s = time.perf_counter() - started
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert found == kind
    assert took_s < _SECONDS_MAX
    assert peak < _MEMORY_MAX


def test_s17_office_files_are_known_beside_a_comment_and_before_other_bytes(tmp_path: Path) -> None:
    plain = ozor_steps.office_bytes("ppt/presentation.xml")
    commented = plain[:-2] + struct.pack("<H", 9) + b"a comment"
    found: list[str | None] = []
    for content in (plain, commented, b"PK\x03\x04 something before" + plain):
        path = tmp_path / "deck"
        path.write_bytes(content)
        found.append(file_type(content[:512], path))

    assert found == ["pptx", "pptx", "pptx"]


def test_s17_bomb_that_is_uploaded_costs_what_its_bytes_cost(ozor: Account) -> None:
    bomb = _archive("[Content_Types].xml", "word/document.xml", content=bytes(100 * 1024 * 1024))
    form = {"file": File("letter.docx", bomb, ozor_steps.DOCX_TYPE)}
    ozor.client.post(ozor_steps.ANALYZE, form={"file": ozor_steps.pdf()})  # everything is loaded
    started = time.perf_counter()

    answer = ozor.client.post(ozor_steps.ANALYZE, form=form)

    assert answer.status == 200
    assert time.perf_counter() - started < _SECONDS_MAX


# --- S20: uploads ---------------------------------------------------------------------------------

_MARK = "screentest-upload-marker"
_HTML = f"<html><script>alert('{_MARK}')</script></html>".encode()
_SVG = f"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(\"{_MARK}\")'/>".encode()


def _uploads(world: MockWorld, name: str, content: bytes, type_: str) -> list[Answer]:
    """Upload the file in every way. Returns the answers."""
    file = File(name, content, type_)
    ozor, vendor = world.account("ozor"), world.account("oshara")
    zn = world.account("znapai")
    fields = {"model": "sora-2", "prompt": "A lamp", "input_reference": file}
    return [
        ozor.client.post(ozor_steps.ANALYZE, form={"file": file}),
        vendor.client.post(oshara.JOBS, form={**oshara.LEAST, "avatar": file}),
        vendor.client.post(
            oshara.VIDEO_ONLY, form={"title": "T", "avatar": oshara.JPEG, "audio": file}
        ),
        zn.client.post("/v1/videos", form=fields),
        ozor.client.get("/api/v1/documents/plans"),
        vendor.client.get(oshara.JOBS),
    ]


@pytest.mark.parametrize(
    ("name", "content", "type_"),
    [
        ("page.html", _HTML, "text/html"),
        ("drawing.svg", _SVG, "image/svg+xml"),
        ("page.pdf", b"%PDF-1.7\n" + _HTML, ozor_steps.PDF_TYPE),
        ("face.png", b"\x89PNG\r\n\x1a\n" + _HTML, "image/png"),
        ("face.gif", b"GIF89a/*" + _HTML + b"*/", "image/gif"),
        ("face.jpg", b"\xff\xd8\xff\xe0" + _HTML, "image/jpeg"),
        ("voice.mp3", b"ID3" + _HTML, "audio/mpeg"),
        ("../../../../tmp/evil.html", _HTML, "text/html"),
        ("a\\..\\..\\evil.html", _HTML, "text/html"),
        ("<img src=x onerror=alert(1)>.png", b"\x89PNG\r\n\x1a\n" + _HTML, "image/png"),
    ],
    ids=lambda it: it if isinstance(it, str) and "." in it else "",
)
def test_s20_upload_is_never_given_back_and_leaves_no_file(
    world: MockWorld,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    content: bytes,
    type_: str,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    answers = _uploads(world, name, content, type_)

    assert all(answer.status < 500 for answer in answers)
    assert all(_MARK.encode() not in answer.content for answer in answers)
    assert all("html" not in answer.headers["content-type"] for answer in answers)
    assert list(tmp_path.iterdir()) == []
    assert _MARK not in json.dumps(world.requests())


def test_s20_upload_has_a_random_name_that_no_other_user_can_read(
    world: MockWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The upload folder is listed by the stream from which the upload is read."""
    seen: set[tuple[str, int, int]] = set()
    face = oshara.PNG.content

    class Watched(io.BytesIO):
        """A body that lists the upload folder at each read."""

        def readinto(self, buffer: Any, /) -> int:
            for path in tmp_path.rglob("*"):
                if path.is_file():
                    modes = path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777
                    seen.add((path.name, *modes))
            return super().readinto(buffer)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    account = world.account("oshara")
    boundary = b"--B\r\nContent-Disposition: form-data; name="
    file = b'"avatar"; filename="../known-name.png"\r\nContent-Type: image/png\r\n\r\n'
    body = boundary + file + face + bytes(200_000) + b"\r\n--B--\r\n"

    account.client.wsgi.open(
        account.client.base + oshara.JOBS,
        method="POST",
        input_stream=Watched(body),
        content_length=len(body),
        content_type="multipart/form-data; boundary=B",
        headers=account.client.headers,
    )

    ((name, mode, folder_mode),) = seen
    assert "known-name" not in name
    assert (mode, folder_mode) == (0o600, 0o700)
    assert list(tmp_path.iterdir()) == []


def test_s20_files_are_served_as_what_they_are_and_nothing_else(world: MockWorld) -> None:
    account = world.account("oshara")
    url = oshara.finished(account)["processed_video_url"]

    answer = account.client.follow(url)

    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["x-content-type-options"] == "nosniff"


# --- S24: texts that are scripts ------------------------------------------------------------------

_SCRIPTS = [
    f"{before}{script}{after}"
    for script in (
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<iframe srcdoc='<script>alert(1)</script>'>",
        "<details open ontoggle=alert(1)>",
        "<a href=javascript:alert(1)>x</a>",
        "<body onpageshow=alert(1)>",
        "<math><mtext></p>",
        "<style>@import 'javascript:alert(1)'</style>",
        "${alert(1)}{{7*7}}<% 7*7 %>",
        "<ScRiPt>alert(1)</sCrIpT>",
        "<noscript><p title='</noscript><i onclick=alert(1)>'>",
    )
    for before, after in (("", ""), ('">', ""), ("'-", "-'"), ("</title>", "<!--"), ("]]>", ""))
]
_DATA_TYPES = re.compile(
    r"application/(json|problem\+json|x-ndjson)|application/xml; charset=UTF-8|text/event-stream.*"
)


def test_s24_sixty_scripts_are_tried() -> None:
    assert len(_SCRIPTS) == 60
    assert len(set(_SCRIPTS)) == 60


@pytest.mark.parametrize("script", _SCRIPTS)
def test_s24_script_that_is_sent_never_comes_back_as_a_page(world: MockWorld, script: str) -> None:
    """Prompts, titles, file names, headers, paths and webhook URLs, and all that shows them."""
    account, control = world.account("ozor"), world.control
    picture = File(script.replace('"', ""), oshara.JPEG.content, "image/jpeg")
    vendor = world.account("oshara")
    hook = {"provider": "ugc_copilot", "url": f"http://127.0.0.1:9/{script}"}
    answers = [
        account.client.post(ozor_steps.GENERATE, json={"prompt": script, script: 1}),
        account.client.post(ozor_steps.GENERATE, json={"prompt": script}),
        account.client.get("/api/v1/videos"),
        account.client.get("/api/v1/videos", headers={"User-Agent": script, "X-API-Key": script}),
        Client(world.wsgi, world.anonymous("ozor").base).get(f"/{script}".replace("?", "%3F")),
        world.anonymous("ozor").get(f"/_storage/{script}".replace("?", "%3F")),
        vendor.client.post(oshara.JOBS, form={**oshara.LEAST, "title": script, "avatar": picture}),
        vendor.client.get(oshara.JOBS),
        vendor.client.get(f"/nowhere/{script}".replace("?", "%3F")),
        control.post(f"{world.path}/webhooks/endpoints", json=hook),
        control.post(f"{world.path}/snapshots", json={"name": script}),
        control.post(f"{world.path}/accounts", json={"provider": script}),
        control.get(f"/{script}".replace("?", "%3F")),
        control.get(f"{world.path}/requests"),
        control.get(f"{world.path}/events"),
    ]

    for answer in answers:
        assert answer.status < 500
        if script in answer.text:
            assert _DATA_TYPES.fullmatch(answer.headers["content-type"]), answer.headers
