"""openapi-python-client makes a client of each OpenAPI document that makes a call to the mock."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from screentest.contract_tests.targets.samples import sample

from ..live_mock import LiveMock
from ..tree import ROOT

pytestmark = pytest.mark.slow

#: After `url, key, folder = sys.argv[1:]`; each prints a status and a value of the answer's model.
_CALLS = {
    "ozor": """
from ozor.api.videos import generate_video
from ozor.models import GenerateRequest
client = AuthenticatedClient(url, key, prefix="", auth_header_name="X-API-Key")
done = generate_video.sync_detailed(client=client, body=GenerateRequest(prompt="A lamp"))
print(int(done.status_code), done.parsed.status)
""",
    # An operation with two content types does not import: the generator forgets `Unset` in it.
    "znapai": """
from znapai.api.videos import list_videos
client = AuthenticatedClient(url, key)
done = list_videos.sync_detailed(client=client)
print(int(done.status_code), len(done.parsed.data))
""",
    "ugc_copilot": """
from ugc_copilot.api.scripts import proxy_generate_viral_script
from ugc_copilot.models import ProxyGenerateViralScriptBody
client = AuthenticatedClient(url, key)
body = ProxyGenerateViralScriptBody.from_dict({"productDescription": "Stoneware mug"})
done = proxy_generate_viral_script.sync_detailed(client=client, body=body)
print(int(done.status_code), type(done.parsed).__name__)
""",
    "ulazai": """
from ulazai.api.generation import generate_text_to_video
from ulazai.models import TextToVideoRequest
client = AuthenticatedClient(url, key, prefix="Token")
body = TextToVideoRequest(prompt="A lamp")
done = generate_text_to_video.sync_detailed(client=client, body=body)
print(int(done.status_code), done.parsed.data.credits_charged)
""",
    "oshara": """
from io import BytesIO
from oshara.api.video_only import create_video_only_job
from oshara.models import VideoOnlyForm
from oshara.types import File
client = AuthenticatedClient(url, key)
body = VideoOnlyForm(
    title="My Video",
    avatar=File(BytesIO(open(f"{folder}/face.jpg", "rb").read()), "face.jpg", "image/jpeg"),
    audio=File(BytesIO(open(f"{folder}/voice.mp3", "rb").read()), "voice.mp3", "audio/mpeg"),
)
done = create_video_only_job.sync_detailed(client=client, body=body)
print(int(done.status_code), done.parsed.title)
""",
    "control": """
from control.api.worlds import create_world
from control.models import WorldPlan
done = create_world.sync_detailed(client=Client(url), body=WorldPlan(seed=7))
print(int(done.status_code), done.parsed.seed)
""",
}
_ANSWERS = {
    "ozor": "200 pending",
    "znapai": "200 0",
    "ugc_copilot": "200 Script",
    "ulazai": "201 70",
    "oshara": "201 My Video",
    "control": "201 7",
}


@pytest.mark.parametrize("name", _CALLS)
def test_generated_client_imports_and_makes_a_call(
    name: str, python_tools: Path, live: LiveMock, tmp_path: Path
) -> None:
    variables = {**os.environ, "PATH": f"{python_tools}:{os.environ['PATH']}"}
    _run(
        [
            str(python_tools / "openapi-python-client"),
            "generate",
            f"--path={ROOT / 'specs' / name / 'openapi.yaml'}",
            f"--output-path={tmp_path / name}",
            "--meta=none",
        ],
        tmp_path,
        variables,
    )
    (tmp_path / "face.jpg").write_bytes(sample("jpg"))
    (tmp_path / "voice.mp3").write_bytes(sample("mp3"))
    script = tmp_path / "call.py"
    imports = f"import sys\nfrom {name} import AuthenticatedClient, Client\n"
    script.write_text(f"{imports}url, key, folder = sys.argv[1:]\n{_CALLS[name]}")
    url, key = base_and_key(live, name)

    printed = _run([str(python_tools / "python"), str(script), url, key, str(tmp_path)], tmp_path)

    assert printed.strip() == _ANSWERS[name]


def base_and_key(live: LiveMock, name: str) -> tuple[str, str]:
    """Where the document's paths begin at the mock, in a world of its own, and a key for it."""
    if name == "control":
        return f"{live.url}/_screentest", ""
    served = live.world()["providers"][name]
    return served["base_url"], served["account"]["api_key"]


def _run(words: list[str], folder: Path, variables: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        words, cwd=folder, env=variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
