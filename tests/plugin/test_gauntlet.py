"""`webhooks.gauntlet`: each mistake of a receiver fails its trial, and a right one passes all."""

from __future__ import annotations

import hashlib
import hmac
import json
import select
import time
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from screentest import MockError, World

_MISTAKES = {
    "believes": {"forged", "swapped", "unsigned"},
    "parses-first": {"recoded"},
    "handles-twice": {"duplicate", "at-once"},
    "forgets": {"good", "at-once"},
    "refuses-unknown": {"unknown"},
    "crashes": {"malformed"},
    "reveals": {"forged", "swapped"},
    "traces": {"unsigned"},
    "takes-all": {"huge"},
    "is-late": {"good", "duplicate", "at-once", "out-of-order", "recoded", "unknown", "huge"},
}
_OLDEST_S = 300


class Receiver:
    """A receiver of UGC Copilot's webhooks with one *mistake*, or none."""

    def __init__(self, mistake: str = "") -> None:
        self.mistake = mistake
        self.secret = ""
        self.handled: list[str] = []

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        status, body = self.answer(environ)
        start(f"{status} X", [])
        return [body]

    def answer(self, environ: WSGIEnvironment) -> tuple[int, bytes]:
        if self.mistake == "is-late":
            # A sleep would move the clock of the world, and take no time.
            select.select([], [], [], 0.05)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        if self.mistake == "takes-all" and len(body) > 1_000_000:
            return 200, b""
        stamp = environ.get("HTTP_X_UGC_TIMESTAMP", "0")
        raw = _parsed(body) if self.mistake == "parses-first" else body
        right = hmac.new(self.secret.encode(), f"{stamp}.".encode() + raw, hashlib.sha256)
        given = environ.get("HTTP_X_UGC_SIGNATURE", "")
        is_old = time.time() - int(stamp) > _OLDEST_S
        is_right = hmac.compare_digest(right.hexdigest(), given) and not is_old
        if not is_right and self.mistake != "believes":
            if self.mistake == "reveals":
                return 401, f"expected {right.hexdigest()}".encode()
            if self.mistake == "traces" and not given:
                return 401, b"Traceback (most recent call last):"
            return 401, b""
        return self._take(body)

    def _take(self, body: bytes) -> tuple[int, bytes]:
        if self.mistake != "crashes":
            try:
                event = json.loads(body)
            except ValueError:
                return 400, b""
        else:
            event = json.loads(body)
        if not event["type"].startswith("video."):
            return (422 if self.mistake == "refuses-unknown" else 204), b""
        is_new = event["id"] not in self.handled or self.mistake == "handles-twice"
        if is_new and self.mistake != "forgets":
            self.handled.append(event["id"])
        return 204, b""


def _parsed(body: bytes) -> bytes:
    """*body* as a framework writes it that has parsed it before."""
    try:
        return json.dumps(json.loads(body), separators=(",", ":")).encode()
    except ValueError:
        return body


def _try(world: World, receiver: Receiver, *, within_s: float = 5.0) -> str:
    """The message of the failed gauntlet; empty if every trial passes."""
    hooks = world.ugc_copilot.webhooks
    endpoint = hooks.deliver_to(wsgi_app=receiver)
    receiver.secret = endpoint.secret
    try:
        hooks.gauntlet(endpoint, check=lambda: len(receiver.handled), within_s=within_s)
    except AssertionError as failed:
        return str(failed)
    return ""


def test_right_receiver_passes_every_trial(screentest: World) -> None:
    assert _try(screentest, Receiver()) == ""


@pytest.mark.parametrize("mistake", _MISTAKES)
def test_mistake_fails_its_trials_and_no_other(screentest: World, mistake: str) -> None:
    within_s = 0.02 if mistake == "is-late" else 5.0

    failed = _try(screentest, Receiver(mistake), within_s=within_s)

    names = {line.split()[1] for line in failed.splitlines() if line.startswith("x  ")}
    if mistake == "believes":
        # A receiver that believes everything keeps the forged events too, and unknown ones.
        assert names >= _MISTAKES[mistake]
    else:
        assert names == _MISTAKES[mistake]


def test_message_says_what_was_sent_and_answered(screentest: World) -> None:
    failed = _try(screentest, Receiver("handles-twice"))

    assert "x  duplicate     the same event again: its state has changed" in failed
    assert "x  at-once       the same event twice at the same time: its state counts 2" in failed
    assert "-  rotated       a delivery with the next secret: no next secret was given" in failed
    assert failed.endswith("15 trials, 2 failed")


@pytest.mark.parametrize(
    ("mistake", "detail"),
    [
        ("believes", "x  unsigned      no signature: answered 204; refuse it with 401 (SC306)"),
        (
            "parses-first",
            "the same JSON in another encoding: answered 401, and not 2xx (SC305)",
        ),
        ("refuses-unknown", "an event of an unknown type: answered 422, and not 2xx (SC301)"),
    ],
)
def test_failed_trial_names_the_finding_that_explains_it(
    screentest: World, mistake: str, detail: str
) -> None:
    assert detail in _try(screentest, Receiver(mistake))


@pytest.mark.screentest(unmatched="ignore")
def test_provider_without_webhooks_has_no_gauntlet(screentest: World) -> None:
    endpoint = screentest.ugc_copilot.webhooks.deliver_to(wsgi_app=Receiver())

    with pytest.raises(MockError, match="ozor documents no webhooks"):
        screentest.ozor.webhooks.gauntlet(endpoint)
