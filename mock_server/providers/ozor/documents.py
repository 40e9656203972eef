"""Ozor's documents: a file or a web page that becomes a plan.

Functions, because they look into the file, and make scenes of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from screentest.specs.json_types import Json
from screentest.specs.openapi.validation import Violation

from ...engine.facts import resource_facts
from ...engine.provider import Call, Provider, Reply, Upload
from ...engine.views import view
from ...media.file_types import file_type

provider = Provider("ozor")

_LANGUAGES = {"german": "de", "deutsch": "de", "french": "fr", "spanish": "es", "italian": "it"}
_TONES = ("professional", "friendly", "energetic", "calm")
_PALETTES = (["#0F172A", "#3B82F6"], ["#14532D", "#F59E0B"], ["#4C1D95", "#EC4899"])
_TOPICS = (
    "the problem",
    "the idea",
    "how it works",
    "the numbers",
    "what people say",
    "next steps",
)
_TARGET_S_MAX = 3_600
_OPENERS = ("Here is", "Let us look at", "This part covers", "Now for", "Worth knowing:")


@provider.check("analyzeDocument")
def check_document(call: Call) -> Sequence[Violation]:
    """Rules beyond the schema: the type of the file, and the range of the target duration."""
    return [*_target_problems(call), *_file_problems(call)]


def _target_problems(call: Call) -> Sequence[Violation]:
    """A target duration of more than an hour, if that reading is chosen (A45)."""
    if call.ctx.reading("target_duration_range") != "up_to_an_hour":
        return []
    asked_s = int(call.body.get("target_duration_sec", 0))
    if asked_s <= _TARGET_S_MAX:
        return []
    at_most = f"at most {_TARGET_S_MAX}"
    return [Violation("body", "/target_duration_sec", "maximum", at_most, str(asked_s))]


def _file_problems(call: Call) -> Sequence[Violation]:
    """The declared type decides, or the extension without one. The first bytes must match it."""
    upload = call.body.get("file")
    if isinstance(call.body.get("prompt"), Upload):
        return [Violation("body", "/prompt", "type", "text", "a file")]
    if not isinstance(upload, Upload):
        return [] if upload is None else [Violation("body", "/file", "type", "a file", "text")]
    declared = _declared_type(call, upload)
    if declared is None:
        types = ", ".join(call.ctx.behaviour.facts["document_types"].values())
        actual = upload.content_type or "no type"
        return [Violation("body", "/file", "type", f"a document of type {types}", actual)]
    found = file_type(upload.head, upload.path)
    if found != declared:
        actual = f"content of type {found or 'unknown'}"
        return [Violation("body", "/file", "type", f"content of type {declared}", actual)]
    return []


def _declared_type(call: Call, upload: Upload) -> str | None:
    types: Mapping[str, str] = call.ctx.behaviour.facts["document_types"]
    if upload.content_type in types:
        return types[upload.content_type]
    if call.ctx.reading("octet_stream_upload") == "refuse":
        return None
    if upload.content_type in {"", "application/octet-stream"}:
        extension = upload.filename.rpartition(".")[2].lower()
        return extension if extension in types.values() else None
    return None


@provider.operation("analyzeDocument")
def analyze_document(call: Call) -> Reply:
    ctx, body = call.ctx, call.body
    failure = _analysis_failure(call)
    if failure is not None:
        price = call.rules.price
        if price is not None and price.kept_on_error and call.cost is not None:
            amount = call.cost.amount
            ctx.ledger.charge(call.account_id, amount, ctx.now_ms, None, ctx.number)
        return Reply(500, {"detail": f"Document analysis failed: {failure}"}, reason="failed")
    upload, url = body.get("file"), body.get("url")
    is_file = isinstance(upload, Upload)
    facts = ctx.behaviour.facts
    prompt = body.get("prompt", "")
    duration_s = int(body.get("target_duration_sec", facts["target_duration_s"]))
    name = upload.filename if is_file else _host(url)
    rng = ctx.rng("plan", name, upload.sha256 if is_file else url, prompt, duration_s)
    count = min(facts["scenes_max"], max(1, -(-duration_s // facts["scene_lasts_s"])))
    scenes = [_scene(number, name, prompt, rng.choice(_OPENERS)) for number in range(1, count + 1)]
    doc = {
        "file_name": name or "document",
        "file_type": _declared_type(call, upload) if is_file else "url",
        "source_url": None if is_file else url,
        "aspect": body.get("aspect_ratio", "16:9"),
        "language": next(
            (code for word, code in _LANGUAGES.items() if word in prompt.lower()), "en"
        ),
        "style": {
            "colors": rng.choice(_PALETTES),
            "fonts": ["Inter"],
            "tone": rng.choice(_TONES),
            "layout": "slide",
        },
        "scenes": scenes,
        "images": [image for scene in scenes for image in scene["images"]],
        "updated_ms": ctx.now_ms,
        "voice": {},
    }
    plan = ctx.add("plan", call.account_id, doc)
    plan = ctx.save(plan, {"first_cost": resource_facts(ctx, plan)["voiced"] // 2})
    return Reply(200, {"plan": view(ctx, plan)})


def _host(url: str) -> str:
    match = re.match(r"https?://([^/?#\s]{1,100})", url, re.IGNORECASE)
    return match[1] if match is not None else "document"


def _analysis_failure(call: Call) -> str | None:
    """Why the analysis fails, if a fault or a directive makes it fail."""
    where = {"operation": call.operation.id, "account": call.account_id}
    fault = call.ctx.apply_fault("job_failure", where)
    if fault is not None:
        return fault.attributes.get("reason") or "the document could not be read"
    directive = call.directive
    if directive is None or directive.verb != "fail":
        return None
    return directive.text or "the document could not be read"


def _scene(number: int, name: str, prompt: str, opener: str) -> Json:
    topic = "introduction" if number == 1 else _TOPICS[(number - 2) % len(_TOPICS)]
    focus = f" {prompt[:80]}" if prompt else ""
    return {
        "order": number,
        "sceneTitle": topic.capitalize(),
        "scenePrompt": f"A clean slide about {topic}, with a picture from {name}.{focus}",
        "voiceoverText": f"{opener} {topic}, part {number} of our story.",
        "images": [f"page_{number - 1}_img_0"],
        "keyPoints": [topic],
    }
