"""The plans of the fake in `ozor_django.py`."""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.http.multipartparser import MultiPartParserError
from ozor_forms_django import Form, Refusal, check_scenes, check_voice, invalid, json_form

_ASPECTS = ("16:9", "9:16")
_VOICES = {
    "aria": ("female", "Clear, precise"),
    "nova": ("female", "Warm, natural"),
    "felix": ("male", "Playful, upbeat"),
    "marcus": ("male", "Neutral, professional"),
    "thor": ("male", "Deep, authoritative"),
    "luna": ("female", "Soft, calm"),
    "owen": ("male", "Steady, trustworthy"),
    "sky": ("neutral", "Light, friendly"),
}
_OFFICE = "application/vnd.openxmlformats-officedocument."
_FILE_TYPES = {
    "application/pdf": "pdf",
    f"{_OFFICE}presentationml.presentation": "pptx",
    f"{_OFFICE}wordprocessingml.document": "docx",
}
_FILE_BYTES_MAX = 50 * 1024 * 1024
_STEP_S, _PAGE_S = 4, 600


class Plans:
    """The plans, and the streams that render them."""

    def __init__(self, house: Any, videos: Any, files: Path) -> None:
        self.house, self.videos, self.files = house, videos, files
        self.plans: dict[str, dict[str, Any]] = {}

    def voices(self, who: str, request: Any) -> Any:
        shown = [
            {"id": it, "label": it.title(), "gender": gender, "character": character}
            for it, (gender, character) in _VOICES.items()
        ]
        return {"voices": shown}

    def analyze(self, who: str, request: Any) -> Any:
        try:
            file, fields = request.FILES.get("file"), Form(request.POST.dict())
        except MultiPartParserError as wrong:
            raise Refusal(400, str(wrong)) from None
        url = fields.fields.get("url")
        if file is None and not url:
            raise Refusal(400, "file or url is required")
        if file is not None and url and self.house.defect != "both_sources_are_accepted":
            raise Refusal(400, "file and url exclude each other")
        if (
            file is not None
            and file.content_type not in _FILE_TYPES
            and self.house.defect != "any_file_type"
        ):
            raise invalid("file", "must be PDF, PPTX or DOCX")
        if file is not None and file.size > _FILE_BYTES_MAX:
            raise invalid("file", "is larger than 50 MB")
        if url and urlsplit(url).scheme not in ("http", "https"):
            raise invalid("url", "must be an http(s) URL")
        asked = fields.fields.get("target_duration_sec", "30")
        if not asked.isdecimal() or int(asked) < 1:
            raise invalid("target_duration_sec", "must be a number of seconds")
        aspect = fields.choice("aspect_ratio", _ASPECTS, "16:9")
        with self.house.lock:
            if self.house.defect != "analysis_is_free":
                self.house.take(who, 1)
            plan = self.add_plan(who, aspect, max(2, int(asked) // 10))
            kind = _FILE_TYPES.get(file.content_type, "pdf") if file else "html"
            named = file.name if file else urlsplit(url).hostname
            plan |= {"fileName": named, "fileType": kind, "sourceUrl": url or None}
        return self.plan_shown(plan, request)

    def add_plan(self, who: str, aspect: str, many: int) -> dict[str, Any]:
        plan_id = f"plan_{secrets.token_hex(6)}"
        image = {"storagePath": f"users/{who}/plans/{plan_id}/page_0_img_0.png"}
        scenes = [
            {
                "order": it,
                "sceneTitle": f"Part {it}",
                "scenePrompt": "A title card with the logo",
                "voiceoverText": f"This is part {it}.",
                "imageRefs": [image] if it == 1 else [],
                "keyPoints": [],
            }
            for it in range(1, many + 1)
        ]
        plan = {"who": who, "planId": plan_id, "aspectRatio": aspect, "scenes": scenes}
        plan |= {
            "created": self.house.now(),
            "updated": self.house.now(),
            "began": None,
            "ends": None,
        }
        plan |= {"projectId": None, "voiceSettings": None}
        self.plans[plan_id] = plan
        return plan

    def plan_status(self, plan: dict[str, Any]) -> str:
        """A plan that has been rendered to its end has a video."""
        if plan["ends"] is None:
            return "draft"
        if self.house.now() < plan["ends"]:
            return "generating"
        with self.house.lock:
            if plan["projectId"] is None:
                video = self.videos.add_video(plan["who"], plan["fileName"], plan["aspectRatio"])
                plan |= {"projectId": video["id"], "updated": plan["ends"]}
        return "generated"

    def plan_shown(self, plan: dict[str, Any], request: Any) -> dict[str, Any]:
        status, until = self.plan_status(plan), int(self.house.now()) + _PAGE_S
        url = request.build_absolute_uri(f"/pages/{plan['planId']}.png?expires={until}")
        scenes = [
            {"keyPoints": [], **it, "imageRefs": [{**ref, "url": url} for ref in it["imageRefs"]]}
            for it in plan["scenes"]
        ]
        named = ("planId", "fileName", "fileType", "sourceUrl", "aspectRatio", "projectId")
        shown = {name: plan[name] for name in named} | {"status": status, "scenes": scenes}
        shown |= {"language": "en", "error": None, "createdVia": "api", "creditsCost": _cost(plan)}
        shown |= {"createdAt": int(plan["created"]), "updatedAt": int(plan["updated"])}
        shown["style"] = {"colors": ["#112233"], "fonts": [], "tone": "calm", "layout": "page"}
        if plan["voiceSettings"] is not None:
            shown["voiceSettings"] = plan["voiceSettings"]
        return {"plan": shown}

    def get_plan(self, who: str, request: Any, plan_id: str) -> Any:
        return self.plan_shown(self.house.owned(self.plans, plan_id, who), request)

    def editable(self, plan: dict[str, Any]) -> None:
        status = self.plan_status(plan)
        if status != "draft":
            raise Refusal(400, {"message": "The plan cannot be changed", "status": status})

    def edit_plan(self, who: str, request: Any, plan_id: str) -> Any:
        plan = self.house.owned(self.plans, plan_id, who)
        with self.house.lock:
            self.editable(plan)
            form = json_form(request)
            scenes, voice = form.fields.get("scenes"), form.fields.get("voiceSettings")
            if scenes is None and voice is None:
                raise Refusal(400, "scenes or voiceSettings is required")
            if scenes is not None:
                check_scenes(scenes)
            if voice is not None:
                check_voice(voice, tuple(_VOICES))
                plan["voiceSettings"] = voice
            if scenes is not None:
                kept = plan["scenes"] if self.house.defect == "scenes_are_appended" else []
                plan["scenes"] = [*kept, *sorted(scenes, key=lambda it: it["order"])]
            plan["updated"] = self.house.now()
        return self.plan_shown(plan, request)

    def render_plan(self, who: str, request: Any, plan_id: str) -> Any:
        plan = self.house.owned(self.plans, plan_id, who)
        with self.house.lock:
            self.editable(plan)
            self.house.take(who, _cost(plan))
            many = len(plan["scenes"])
            plan |= {"began": self.house.now()}
            plan["ends"] = plan["began"] + _STEP_S * (2 * many + 1)
        return StreamingHttpResponse(self.progress(plan, many), content_type="text/event-stream")

    def progress(self, plan: dict[str, Any], many: int) -> Any:
        yield ": connected\n\n"
        yield _event("init", "Starting generation", 0)
        for number in range(1, many + 1):
            self.sleep_until(plan["began"] + _STEP_S * number)
            yield _event("tts", f"Generating voiceover {number}/{many}", 40 * number // many)
        for number in range(1, many + 1):
            self.sleep_until(plan["began"] + _STEP_S * (many + number))
            is_falling = self.house.defect == "pct_starts_again"
            pct = 40 * number // many + (0 if is_falling else 45)
            yield _event("scenes", f"Rendering scene {number}/{many}", pct)
        yield _event("assembly", "Assembling project", 90)
        self.sleep_until(plan["ends"])
        self.plan_status(plan)
        yield _event("done", "Video project ready!", 100, projectId=plan["projectId"])

    def sleep_until(self, at: float) -> None:
        time.sleep(max(0.0, at - self.house.now()) / self.house.speed)

    def page(self, request: Any, name: str) -> HttpResponse | FileResponse:
        if int(request.GET.get("expires", "0")) < int(self.house.now()):
            return HttpResponse("<Error><Code>ExpiredToken</Code></Error>", "text/xml", status=400)
        return FileResponse((self.files / "page-960x540.png").open("rb"))


def _cost(plan: dict[str, Any]) -> int:
    return sum(bool(it["voiceoverText"]) for it in plan["scenes"]) // 2


def _event(step: str, detail: str, pct: int, **more: str) -> str:
    return f"data: {json.dumps({'step': step, 'detail': detail, 'pct': pct, **more})}\n\n"
