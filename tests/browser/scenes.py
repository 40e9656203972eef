"""A world in which something has happened on every page."""

from __future__ import annotations

import requests

from tests.live_mock import LiveMock

HEADERS = {"Content-Type": "application/json"}


def populate(mock: LiveMock, receiver: str) -> dict[str, str]:
    """Calls, refusals, faults and deliveries in the default world; the ids of what they made."""
    world = mock.control("GET", "/worlds/default")
    providers = world["providers"]
    ozor = providers["ozor"]
    key = {"X-API-Key": ozor["account"]["api_key"]}
    start = f"{ozor['base_url']}/api/v1/videos/generate"

    def generate(prompt: str, **more: object) -> requests.Response:
        return requests.post(start, json={"prompt": prompt, **more}, headers=key, timeout=10)

    ugc = {"Authorization": f"Bearer {providers['ugc_copilot']['account']['api_key']}"}
    mock.control(
        "POST",
        "/worlds/default/webhooks/endpoints",
        {"provider": "ugc_copilot", "url": receiver},
    )
    render = requests.post(
        f"{providers['ugc_copilot']['base_url']}/proxyStartVideoGeneration",
        json={
            "data": {
                "engine": "sora",
                "quality": "standard",
                "duration": 8,
                "aspectRatio": "9:16",
                "scene": {"visualPrompt": "A potter lifts a mug", "script": "Made by hand."},
            }
        },
        headers=ugc,
        timeout=10,
    )
    first = generate("A 20-second teaser for a folding bicycle", export=True).json()
    advance(mock, by_ms=9_000)
    generate("")
    requests.get(f"{ozor['base_url']}/api/v1/videos/{first['videoId']}", headers=key, timeout=10)
    advance(mock, until="idle")
    export = mock.control("GET", "/worlds/default/jobs")["items"][0]["id"]
    mock.control("POST", "/worlds/default/faults", {"type": "http_error", "times": 2})
    generate("A bicycle at night")
    mock.control("PATCH", f"/worlds/default/accounts/{ozor['account']['id']}", {"credits": 0})
    generate("A bicycle at dawn")
    generate("A bicycle at dusk")
    mock.control("PATCH", f"/worlds/default/accounts/{ozor['account']['id']}", {"credits": 6})
    running = generate("A bicycle in the rain").json()
    advance(mock, by_ms=12_000)
    mock.control("POST", "/worlds/default/snapshots", {"name": "paid-user"})
    assert render.ok, render.text
    lines = mock.control("GET", "/worlds/default/requests?limit=50")["items"]
    refused = next(it["id"] for it in lines if it["response"]["status"] == 402)
    return {
        "export": export,
        "ended": first["jobId"],
        "running": running["jobId"],
        "refused": refused,
    }


def advance(mock: LiveMock, **how: object) -> None:
    """Move the clock of the default world."""
    mock.control("POST", "/worlds/default/clock/advance", how)
