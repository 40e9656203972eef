"""openapi-typescript's types fit each OpenAPI document, and a typed call reaches the mock."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from screentest.contract_tests.targets.samples import sample

from ..live_mock import LiveMock
from ..tree import ROOT
from .test_python_clients import base_and_key

pytestmark = [pytest.mark.slow, pytest.mark.npm]

_HEAD = """
import createClient from "openapi-fetch";
import type { paths } from "./types.js";
declare const process: { argv: string[] };
const [baseUrl, key] = process.argv.slice(2) as [string, string];
const fail = (error: unknown): never => { throw new Error(JSON.stringify(error)); };
"""
#: Each names a field of the answer, so that the compiler holds the types to it as well.
_CALLS = {
    "ozor": """
const client = createClient<paths>({ baseUrl, headers: { "X-API-Key": key } });
const { data, error, response } = await client.POST("/api/v1/videos/generate", {
  body: { prompt: "A lamp" },
});
const status: "pending" = data?.status ?? fail(error);
console.log(`${response.status} ${status}`);
""",
    "znapai": """
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });
const { data, error, response } = await client.POST("/videos", {
  body: { model: "sora-2", prompt: "A lamp" },
});
const prompt: string = data?.prompt ?? fail(error);
console.log(`${response.status} ${prompt}`);
""",
    "ugc_copilot": """
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });
const { data, error, response } = await client.POST("/freeGenerateHooks", {
  body: { data: { productDescription: "Stoneware mug", platform: "tiktok" } },
});
const hooks = data?.data.hooks ?? fail(error);
console.log(`${response.status} ${typeof hooks[0]!.hook}`);
""",
    "ulazai": """
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Token ${key}` } });
const { data, error, response } = await client.POST("/api/v1/sora/generate/text-to-video/", {
  body: { prompt: "A lamp" },
});
const charged: number = data?.data.credits_charged ?? fail(error);
console.log(`${response.status} ${charged}`);
""",
    "oshara": """


declare const Buffer: { from(text: string, encoding: string): BlobPart };
const portrait = new Blob([Buffer.from("PORTRAIT", "base64")], { type: "image/jpeg" });
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });
const { data, error, response } = await client.POST("/api/video-jobs/", {
  body: { title: "Product Demo", text_content: "Hello.", avatar: "" },
  bodySerializer: (body) => {
    const form = new FormData();
    form.append("title", body.title);
    form.append("text_content", body.text_content);
    form.append("avatar", portrait, "face.jpg");
    return form;
  },
});
const status: "PENDING" = data?.status ?? fail(error);
console.log(`${response.status} ${status}`);
""",
    "control": """
const client = createClient<paths>({ baseUrl });
const { data, error, response } = await client.POST("/worlds", { body: { seed: 7 } });
const seed: number = data?.seed ?? fail(error);
console.log(`${response.status} ${seed}`);
""",
}
_ANSWERS = {
    "ozor": "200 pending",
    "znapai": "200 A lamp",
    "ugc_copilot": "200 string",
    "ulazai": "201 70",
    "oshara": "201 PENDING",
    "control": "201 7",
}


@pytest.mark.parametrize("name", _CALLS)
def test_typed_client_compiles_and_makes_a_call(
    name: str, node_modules: Path, live: LiveMock, tmp_path: Path
) -> None:
    (tmp_path / "node_modules").symlink_to(node_modules)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    document = ROOT / "specs" / name / "openapi.yaml"
    # A field with a default may be left out of a request.
    _run(
        tmp_path,
        "openapi-typescript",
        str(document),
        "--output=types.ts",
        "--default-non-nullable=false",
    )
    (tmp_path / "call.ts").write_text(_HEAD + _filled(_CALLS[name]))
    _run(
        tmp_path,
        "tsc",
        "--strict",
        "--skipLibCheck",
        "--target",
        "es2022",
        "--module",
        "nodenext",
        "--lib",
        "es2022,dom",
        "call.ts",
    )
    url, key = base_and_key(live, name)

    done = subprocess.run(
        ["node", "call.js", url, key],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.stdout.strip(), done.stderr) == (_ANSWERS[name], "")


def _filled(call: str) -> str:
    portrait = base64.b64encode(sample("jpg")).decode()
    return call.replace("PORTRAIT", portrait)


def _run(folder: Path, program: str, *words: str) -> None:
    done = subprocess.run(
        [str(folder / "node_modules" / ".bin" / program), *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
