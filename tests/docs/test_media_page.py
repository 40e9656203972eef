"""The code of docs/media.md runs."""

from __future__ import annotations

from ..pages import DOCS, blocks


def test_a_download_names_its_job_as_the_page_shows() -> None:
    programs = [text for language, text in blocks(DOCS / "media.md") if language == "python"]

    assert len(programs) == 1
    exec(compile(programs[0], "media.md", "exec"), {})
