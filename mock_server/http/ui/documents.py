"""The documentation, offline: the Markdown pages of the package as HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec import Struct

PAGES = Path(str(files("screentest"))) / "docs"
_NAME = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)*")
_PAGE_LINK = re.compile(r"(?![a-z]+:)([^#]*?)\.md(#.*)?")
_PUNCTUATION = re.compile(r"[^\w\- ]")


class Document(Struct, frozen=True):
    """A page: its title, and its HTML without the frame around it."""

    title: str
    html: str


@cache
def document(name: str) -> Document | None:
    """The page `NAME.md`; None if there is none."""
    file = PAGES / f"{name}.md"
    if _NAME.fullmatch(name) is None or not file.is_file():
        return None
    # The pages are the package's own, and have comments in HTML.
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = markdown.parse(file.read_text(encoding="utf-8"))
    _link(tokens)
    titles = (tokens[at + 1].content for at, it in enumerate(tokens) if it.tag == "h1")
    return Document(next(titles, name), markdown.renderer.render(tokens, markdown.options, {}))


def _link(tokens: Iterable[Token]) -> None:
    """Give headings the ids that links use, and links to pages the addresses they have here."""
    heading: Token | None = None
    for token in tokens:
        if token.type == "heading_open":
            heading = token
        elif token.type == "table_open":
            # A wide one scrolls, also by keyboard.
            token.attrSet("tabindex", "0")
        elif token.attrs.pop("style", "") == "text-align:right":
            # The page's policy permits no inline styles.
            token.attrSet("class", "number")
        elif token.type == "inline":
            if heading is not None:
                text = "".join(it.content for it in token.children or ())
                heading.attrSet("id", _PUNCTUATION.sub("", text.lower()).replace(" ", "-"))
            heading = None
            _link_pages(token.children or ())


def _link_pages(tokens: Iterable[Token]) -> None:
    for token in tokens:
        link = _PAGE_LINK.fullmatch(str(token.attrGet("href") or ""))
        if link is not None:
            page = "" if link[1] == "index" else link[1]
            token.attrSet("href", f"/_screentest/docs/{page}{link[2] or ''}")
