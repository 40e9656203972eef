"""The checks of bodies, and the refusals, of the fake in `ozor_django.py`."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

from django.http import JsonResponse

_IMAGES, _CLIPS = ("image/jpeg", "image/png", "image/webp"), ("video/mp4", "video/webm")


class Refusal(Exception):
    def __init__(self, status: int, detail: Any) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


def invalid(name: str, message: str) -> Refusal:
    return Refusal(400, [{"field": name, "message": message}])


class Form:
    """The fields of a body: each is taken with a check."""

    def __init__(self, fields: Any) -> None:
        if not isinstance(fields, dict):
            raise Refusal(400, [{"field": "body", "message": "must be an object"}])
        self.fields = fields

    def text(self, name: str, most: int = 100_000) -> str:
        value = self.fields.get(name)
        if not isinstance(value, str) or not value.strip():
            raise invalid(name, "a text is required")
        if len(value) > most:
            raise invalid(name, f"has at most {most} characters")
        return value.strip()

    def choice(self, name: str, known: tuple[str, ...], default: str) -> str:
        value = self.fields.get(name, default)
        if value not in known:
            raise invalid(name, f"must be one of {', '.join(known)}")
        return value

    def flag(self, name: str) -> bool:
        value = self.fields.get(name, False)
        if not isinstance(value, bool):
            raise invalid(name, "must be true or false")
        return value

    def media(self) -> None:
        self._media("images", _IMAGES)
        self._media("videos", _CLIPS)

    def _media(self, name: str, types: tuple[str, ...]) -> None:
        items = self.fields.get(name)
        if items is not None and not isinstance(items, list):
            raise invalid(name, "must be a list")
        for item in items or []:
            form = Form(item)
            url, content = item.get("url"), item.get("base64")
            if url is None and content is None:
                raise invalid(name, "url or base64 is required")
            # The content takes precedence over the URL, which is then not looked at.
            if content is None and not str(url).startswith("https://"):
                raise invalid(name, "url must be an HTTPS URL")
            if content is not None:
                try:
                    b64decode(str(content).partition("base64,")[2] or content, validate=True)
                except (TypeError, ValueError):
                    raise invalid(name, "base64 is not valid") from None
            if item.get("mimeType") is not None:
                form.choice("mimeType", types, "")
            length = item.get("durationSec")
            if length is not None and (
                isinstance(length, bool) or not isinstance(length, (int, float))
            ):
                raise invalid(name, "durationSec must be a number")


def check_scenes(scenes: Any) -> None:
    if not isinstance(scenes, list) or not scenes:
        raise invalid("scenes", "must be a list of at least one scene")
    for scene in scenes:
        form = Form(scene)
        if isinstance(scene.get("order"), bool) or not isinstance(scene.get("order"), int):
            raise invalid("scenes.order", "must be a whole number")
        for name in ("sceneTitle", "scenePrompt", "voiceoverText"):
            # A scene without a voiceover has an empty text.
            if not isinstance(form.fields.get(name), str):
                raise invalid(f"scenes.{name}", "a text is required")
        refs, points = scene.setdefault("imageRefs", []), scene.get("keyPoints", [])
        if not isinstance(refs, list) or not all(
            isinstance(it, dict) and isinstance(it.get("storagePath"), str) for it in refs
        ):
            raise invalid("scenes.imageRefs", "must be a list of images")
        if not isinstance(points, list) or not all(isinstance(it, str) for it in points):
            raise invalid("scenes.keyPoints", "must be a list of texts")


def check_voice(voice: Any, known: tuple[str, ...]) -> None:
    form = Form(voice)
    if voice.get("voiceId") is not None:
        form.choice("voiceId", known, "")
    if not isinstance(voice.get("speakingStyle", ""), str):
        raise invalid("speakingStyle", "must be a text")
    rate = voice.get("speakingRate", 1.0)
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0.5 <= rate <= 2:
        raise invalid("speakingRate", "must be a number from 0.5 to 2.0")


def json_form(request: Any) -> Form:
    try:
        return Form(json.loads(request.body))
    except ValueError:
        raise Refusal(400, "The body is not JSON") from None


def view(owner: Any, **methods: Any) -> Any:
    def answer(request: Any, **named: str) -> Any:
        try:
            run = methods.get(request.method)
            if run is None:
                raise Refusal(405, f"{request.method} is not allowed")
            found = (
                run(request, **named) if owner is None else run(owner(request), request, **named)
            )
        except Refusal as refused:
            return JsonResponse({"detail": refused.detail}, status=refused.status)
        is_data = isinstance(found, (dict, list))
        return JsonResponse(found, safe=False) if is_data else found

    return answer
