"""A browser without a screen: it keeps cookies, reads the forms of a page, and submits them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from werkzeug.test import Client as WsgiClient
from werkzeug.test import TestResponse

UI = "/_screentest/ui"


@dataclass
class Form:
    """A form with the fields that a browser would send without a change."""

    action: str
    fields: dict[str, str] = field(default_factory=dict[str, str])


class Page(HTMLParser):
    """The forms, links, scripts and texts of one answer."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.forms: list[Form] = []
        self.addresses: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._choice = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.tags.append((tag, known))
        for name in ("href", "src", "action", "hx-get", "hx-post", "hx-sse:connect"):
            self.addresses += [it for it in [known.get(name)] if it]
        if tag == "form":
            self.forms.append(Form(known.get("action") or ""))
        elif tag == "input" and self.forms and known.get("name"):
            kind = known.get("type")
            if kind not in {"radio", "checkbox"} or "checked" in known:
                self.forms[-1].fields[known["name"] or ""] = known.get("value") or ""

        elif tag == "select":
            self._choice = known.get("name") or ""
        elif tag == "option" and self.forms and known.get("value") is not None:
            # As a browser does: the chosen option, or the first one.
            fields = self.forms[-1].fields
            if "selected" in known or self._choice not in fields:
                fields[self._choice] = known["value"] or ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def form(self, action: str, **holding: str) -> Form:
        """The form that does *action* and shares most fields with *holding*."""
        fitting = [it for it in self.forms if it.action.endswith(action)]
        return max(fitting, key=lambda it: len(holding.items() & it.fields.items()))


@dataclass
class Visitor:
    """A person at the page of the world *world*."""

    wsgi: WsgiClient
    world: str

    @property
    def root(self) -> str:
        return f"{UI}/w/{self.world}"

    def open(self, path: str = "/", **options: Any) -> TestResponse:
        return self.wsgi.get(path if path.startswith("/_") else self.root + path, **options)

    def page(self, path: str = "/") -> Page:
        answer = self.open(path)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return Page(answer.get_data(as_text=True))

    def submit(self, page: Page, action: str, **fields: str) -> Page:
        """Fill in the form of *page* that does *action*, send it, and follow to the next page."""
        holding = {name: fields[name] for name in fields if name in _TELLING}
        form = page.form(f"/do/{action}", **holding)
        answer = self.wsgi.post(form.action, data={**form.fields, **fields}, follow_redirects=True)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return Page(answer.get_data(as_text=True))


#: Fields that tell apart several forms with one action.
_TELLING = {"job", "delivery", "endpoint", "fault", "snapshot", "provider", "outcome", "held"}
