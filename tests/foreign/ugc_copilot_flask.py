"""UGC Copilot's API as a developer would fake it with Flask, from the provider's page alone.

A program of its own: `python ugc_copilot_flask.py PORT SPEED MEDIA [DEFECT]`. The names of
functions are those of the provider's public client. Other readings than those of the fake on
Express: the protocol of Firebase's callable functions, so a body is {data}, an answer {result} and
an error has a `status` in words; unknown keys are forbidden; every call is counted before its body
is read; a repeated idempotency key replays whatever the body is; the account has the tier of eight;
other accounts' operations are forbidden.
"""

from __future__ import annotations

import sys
import threading
import time
from math import ceil, floor
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request, send_file

PORT, SPEED, MEDIA = int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
DEFECT = sys.argv[4] if len(sys.argv) > 4 else ""
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    429: "RESOURCE_EXHAUSTED",
}
# Credits in standard and high quality, and the seconds that they pay for.
ENGINES: dict[str, tuple[int, int, float]] = {
    "sora": (18, 65, 8),
    "veo": (40, 130, 0),
    "kling": (25, 50, 6.4),
    "seedance": (18, 35, 4),
}
SIZES = {"9:16": "720x1280", "16:9": "1280x720", "1:1": "1080x1080"}
PER_MINUTE = {"video": 10, "image": 40, "script": 20, "analysis": 10, "general": 60}
AT_ONCE, MINUTE_S, DAY_S, RENDER_S = 8, 60, 86_400, 120
BEGAN_S, BEGAN_MONOTONIC_S = time.time(), time.monotonic()
CREDITS: dict[str, float] = {"key-one": 1_000_000, "key-two": 1_000_000, "key-empty": 0}
RENDERS: dict[str, dict[str, Any]] = {}
REPLIES: dict[tuple[str, ...], Any] = {}
CALLS: dict[tuple[str, ...], list[float]] = {}
LOCK = threading.RLock()
Body = dict[str, Any]
app = Flask(__name__)


class Refusal(Exception):
    def __init__(self, status: int, message: str, wait_s: float = 0) -> None:
        super().__init__(message)
        self.status, self.wait_s = status, wait_s


def now() -> float:
    return BEGAN_S + (time.monotonic() - BEGAN_MONOTONIC_S) * SPEED


def account() -> str:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        if DEFECT == "missing_key_works":
            return "key-one"
        raise Refusal(401, "Send your API key as a bearer token")
    if key not in CREDITS:
        raise Refusal(403, "This API key does not exist or was revoked")
    return key


def count(name: tuple[str, ...], most: int, over_s: float) -> None:
    """A sliding window: the refused calls do not count."""
    recent = [it for it in CALLS.get(name, []) if it > now() - over_s]
    if len(recent) >= most:
        raise Refusal(429, "Too many requests", recent[0] + over_s - now())
    CALLS[name] = [*recent, now()]


def text(body: Body, name: str, *, optional: bool = False) -> str:
    value = body.get(name)
    if value is None and optional:
        return ""
    if not isinstance(value, str) or not (value or optional):
        raise Refusal(400, f"{name} must be a text")
    return value


def choice(body: Body, name: str, known: list[str], default: str | None = None) -> str:
    value = body.get(name, default)
    if value not in known:
        raise Refusal(400, f"{name} must be one of {', '.join(known)}")
    return str(value)


def items(body: Body, name: str, most: int) -> list[Any]:
    value = body.get(name)
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise Refusal(400, f"{name} must have 1 to {most} items")
    return value


def pay(who: str, cost: float) -> None:
    running = [it for it in RENDERS.values() if it["who"] == who and not is_done(it)]
    if len(running) >= AT_ONCE:
        oldest = min(float(it["created"]) for it in running)
        raise Refusal(429, "Too many operations in flight", oldest + RENDER_S - now())
    if CREDITS[who] < cost:
        raise Refusal(402, "Insufficient credits")
    CREDITS[who] -= cost


def is_done(render: Body) -> bool:
    return now() >= float(render["created"]) + RENDER_S


def start(who: str, body: Body) -> Body:
    engines = [it for it in ENGINES if it != "seedance" or DEFECT != "no_seedance"]
    engine = choice(body, "engine", engines)
    qualities = ["standard"] if DEFECT == "no_hq" else ["standard", "hq"]
    quality = choice(body, "quality", qualities, "standard")
    ratios = [it for it in SIZES if it != "1:1" or DEFECT != "no_square"]
    ratio = choice(body, "aspectRatio", ratios, "16:9")
    ratio = "16:9" if DEFECT == "always_wide" else ratio
    scene = body.get("scene")
    if not isinstance(scene, dict):
        raise Refusal(400, "scene must be an object")
    text(scene, "visualPrompt", optional=DEFECT == "prompt_is_optional")
    text(scene, "scriptText", optional=True)
    base, baseline = ENGINES[engine][quality == "hq"], ENGINES[engine][2]
    seconds = body.get("duration", baseline)
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds <= 60:
        raise Refusal(400, "duration must be a number of seconds")
    # Half a credit is rounded up.
    cost = floor(base * seconds / baseline + 0.5) if baseline else base
    pay(who, cost)
    number = 1 if DEFECT == "names_repeat" else len(RENDERS) + 1
    name = f"operations/{number:08d}-{engine}"
    RENDERS[name] = {"who": who, "created": now(), "engine": engine, "ratio": ratio, "asked": 0}
    return {"operation": {"name": name, "done": False}, "creditsCharged": cost}


def own_render(who: str, name: str) -> Body:
    render = RENDERS.get(name)
    if render is None:
        raise Refusal(404, "Unknown operation")
    if render["who"] != who:
        raise Refusal(403, "This operation belongs to another account")
    return render


def check(who: str, body: Body) -> Body:
    name = text(body, "operationName")
    render = own_render(who, name)
    if choice(body, "engine", list(ENGINES)) != render["engine"]:
        raise Refusal(400, "The operation was started with another engine")
    if not is_done(render):
        return {"done": False, "message": "Rendering"}
    render["asked"] += 1
    if DEFECT == "done_goes_back" and render["asked"] == 2:
        return {"done": False, "message": "Rendering"}
    return {"done": True, "response": {"generatedVideos": [{"video": {"uri": f"videos/{name}"}}]}}


def fetch(who: str, body: Body) -> Body:
    name = text(body, "uri").removeprefix("videos/")
    choice(body, "engine", list(ENGINES))
    is_open = DEFECT == "other_account_fetches" and name in RENDERS
    render = RENDERS[name] if is_open else own_render(who, name)
    url = f"{request.host_url}videos/{SIZES[render['ratio']]}-24fps-8s.mp4"
    return {"videoUrl": url, "mimeType": "video/mp4", "isWatermarked": False}


def stitch(who: str, body: Body) -> Body:
    if not all(str(it).startswith(("http://", "https://")) for it in items(body, "videoUrls", 10)):
        raise Refusal(400, "videoUrls must be URLs")
    return {"videoUrl": f"{request.host_url}videos/720x1280-24fps-8s.mp4", "mimeType": "video/mp4"}


def overlay(who: str, body: Body) -> Body:
    text(body, "videoUri")
    for it in items(body, "overlays", 5):
        text(it if isinstance(it, dict) else {}, "text")
    pay(who, 1)
    return {"overlayVideoUrl": f"{request.host_url}videos/720x1280-24fps-8s.mp4"}


def image(who: str, body: Body) -> str:
    text(body, "visualPrompt")
    quality = choice(body, "quality", ["standard", "hq"], "standard")
    choice(body, "aspectRatio", [*SIZES, "4:5"], "9:16")
    pay(who, 2 if quality == "hq" else 1)
    return f"{request.host_url}videos/poster-360x640.jpg"


def script(field: str) -> Any:
    def run(who: str, body: Body) -> Body:
        text(body, field)
        pay(who, 1)
        scene = {"visualPrompt": "A hand takes the bottle", "scriptText": "Look at this."}
        return {"hooks": ["Stop!"], "scenes": [scene], "callToActions": ["Get yours"]}

    return run


def influencer(who: str, body: Body) -> Body:
    text(body, "productDescription")
    return {"description": "A runner who trains at dawn"}


def products(who: str, body: Body) -> Body:
    text(body, "industry")
    pay(who, 1)
    return {"topSellingProducts": []}


def market(who: str, body: Body) -> Body:
    text(body, "industry")
    hook = {"type": "question", "description": "Ask for a problem"}
    persona = {"name": "Ada", "description": "Buys online"}
    shown: Body = {"trends": ["Unboxing"], "personas": [persona], "topKeywords": ["new"]}
    return {**shown, "viralHooks": [hook], "strategyRecommendations": ["Reply to comments"]}


# Who counts the call, and what it does.
FUNCTIONS: dict[str, tuple[str, Any]] = {
    "proxyStartVideoGeneration": ("video", start),
    "proxyCheckVideoStatus": ("", check),
    "proxyFetchVideo": ("general", fetch),
    "proxyStitchVideos": ("general", stitch),
    "proxyApplyTextOverlay": ("general", overlay),
    "proxyGenerateSceneImage": ("image", image),
    "proxyGenerateViralScript": ("script", script("productDescription")),
    "proxyParseOwnScript": ("script", script("rawScript")),
    "proxyRegenerateScriptWithTone": ("script", script("tone")),
    "proxyGenerateIdealInfluencer": ("analysis", influencer),
    "proxyFetchTopSellingProducts": ("analysis", products),
    "proxyFetchFullMarketAnalysis": ("analysis", market),
}
FREE: dict[str, tuple[int, list[str]]] = {
    "freeTrendAnalyzer": (3, ["industry"]),
    "freeGenerateHooks": (5, ["productDescription", "platform"]),
    "freeGenerateCreatorPersona": (3, ["niche", "platform", "targetAudience"]),
    "freeGenerateScript": (3, ["productDescription", "industry"]),
}


def data() -> Body:
    sent = request.get_json(force=True, silent=True)
    body = sent.get("data") if isinstance(sent, dict) else None
    if not isinstance(body, dict):
        raise Refusal(400, "The body must be an object with data")
    return body


def call(name: str) -> Any:
    kind, run = FUNCTIONS[name]
    who = account()
    key = request.headers.get("Idempotency-Key")
    known = ("" if DEFECT == "key_of_all_accounts" else who, name, str(key))
    with LOCK:
        if kind:
            count((who, name), PER_MINUTE[kind], MINUTE_S)
        if key is not None and known in REPLIES:
            return REPLIES[known]
        result = run(who, data())
        if key is not None:
            REPLIES[known] = result
    return result


def free(name: str) -> Any:
    most, fields = FREE[name]
    body = data()
    for field in fields:
        text(body, field)
    count((name,), most, DAY_S)
    return {"trends": [], "hooks": [], "persona": {}, "scenes": [], "callToAction": "Try it"}


@app.route("/<name>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def function(name: str) -> Any:
    if name not in FUNCTIONS and name not in FREE:
        raise Refusal(404, f"Unknown function {name}")
    if request.method != "POST":
        raise Refusal(405, "Functions are called by POST")
    return jsonify(data=free(name)) if name in FREE else jsonify(result=call(name))


@app.get("/docs/openapi.yaml")
def document() -> Response:
    about = "openapi: 3.1.0\ninfo: {title: UGC Copilot, version: '1'}\npaths: {}\n"
    return Response(about, mimetype="application/yaml")


@app.get("/videos/<name>")
def file(name: str) -> Response:
    return send_file(MEDIA / name)


@app.errorhandler(Refusal)
def refused(refusal: Refusal) -> tuple[Response, int]:
    error = {"status": STATUSES[refusal.status], "message": str(refusal)}
    answer = jsonify(error=error)
    if refusal.status == 429 and DEFECT != "no_retry_after":
        answer.headers["Retry-After"] = str(max(1, ceil(refusal.wait_s)))
    return answer, 200 if DEFECT == "refusals_are_200" else refusal.status


@app.errorhandler(404)
@app.errorhandler(405)
def unknown(problem: Any) -> tuple[Response, int]:
    return jsonify(error={"status": STATUSES[problem.code], "message": problem.name}), problem.code


if __name__ == "__main__":
    app.run("127.0.0.1", PORT, threaded=True)
