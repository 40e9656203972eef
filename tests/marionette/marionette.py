"""Worlds of Marionette, the invented provider of this folder, in the process of the test."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.specs.contracts.contract import read_contract
from screentest.specs.json_types import Json

from ..mock_client import Account, MockWorld, make_world

#: A play with few strings waits 5 s and plays for 20 s.
ENDS_MS = 25_000


def open_world() -> MockWorld:
    """A world with a manual clock, in a mock that serves nothing else."""
    contract = read_contract(Path(__file__).parent)
    return make_world(WsgiClient(create_app(contracts=[contract])))


def order(account: Account, title: str = "Faust", **options: Json) -> str:
    """The id of a new play."""
    answer = account.client.post("/v1/plays", json={"title": title, **options})
    assert answer.status == 201, answer.text
    return str(answer.json()["id"])


def play(account: Account, id_: str) -> Json:
    answer = account.client.get(f"/v1/plays/{id_}")
    assert answer.status == 200, answer.text
    return answer.json()


@dataclass(frozen=True, slots=True)
class Note:
    """One received webhook."""

    id: str
    seal: str
    content: bytes

    @property
    def body(self) -> Json:
        return json.loads(self.content)

    def is_sealed_with(self, secret: str) -> bool:
        """Whether the signature is that of *secret* over id, time and body."""
        at, value = (part.partition("=")[2] for part in self.seal.split(","))
        signed = b"|".join([self.id.encode(), at.encode(), self.content])
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
        return hmac.compare_digest(base64.b64encode(expected).decode(), value)


def take_notes(
    account: Account, react: Callable[[Note], None] | None = None
) -> tuple[list[Note], str]:
    """The list to which each later webhook of *account* is added, and the signing secret.

    *react* is called with each webhook before it is answered.
    """
    notes: list[Note] = []

    def receive(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        content = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        note = Note(environ["HTTP_STAGE_NOTE"], environ["HTTP_STAGE_SEAL"], content)
        notes.append(note)
        if react is not None:
            react(note)
        start("204 No Content", [])
        return []

    app = cast(Flask, account.world.wsgi.application)
    app.extensions["screentest.receivers"]["notes"] = receive
    made = account.world.control.post(
        f"{account.world.path}/webhooks/endpoints",
        json={"provider": "marionette", "account": account.id, "url": "wsgi:notes"},
    )
    assert made.status == 201, made.text
    return notes, made.json()["secret"]
