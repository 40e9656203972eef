"""`run --intercept` and `serve --tls`: clients with built-in https addresses reach the mock."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from .conftest import Shell
from .serving import serving_mock

_OZOR = "https://ozor.ai/api/v1/videos"
_AS_ONE = "h = {'X-API-Key': os.environ['OZOR_API_KEY']}"
_CLIENTS = {
    "urllib": f"""
import os, urllib.request
{_AS_ONE}
def get(url):
    return urllib.request.urlopen(urllib.request.Request(url, headers=h), timeout=20).status
""",
    "requests": f"""
import os, requests
{_AS_ONE}
def get(url):
    return requests.get(url, headers=h, timeout=20).status_code
""",
    "httpx": f"""
import os, httpx
{_AS_ONE}
def get(url):
    return httpx.get(url, headers=h, timeout=20).status_code
""",
}
_GET_TWO = f"""
print(get("{_OZOR}"))
try:
    print(get("https://example.com/"))
except Exception as error:
    print("refused", "403" in str(error))
"""
_NODE = """
import https from "node:https";
const headers = { "X-API-Key": process.env.OZOR_API_KEY };
const request = (url) => new Promise((resolve, reject) =>
  https.get(url, { headers }, (it) => { it.resume(); resolve(it); }).on("error", reject));
const fetched = await fetch(URL_, { headers });
console.log("fetch", fetched.status, JSON.stringify(await fetched.json()));
console.log("https", (await request(URL_)).statusCode);
for (const get of [fetch, request])
  await get("https://example.com/").then(
    () => console.log("reached"),
    (error) => console.log("refused", (error.cause ?? error).message));
const own = await fetch(process.env.SCREENTEST_URL + "/_screentest/health");
console.log("here", own.status);
"""
_GO = f"""
package main
import ("fmt"; "net/http"; "os")
func get(url string) {{
	request, _ := http.NewRequest("GET", url, nil)
	request.Header.Set("X-API-Key", os.Getenv("OZOR_API_KEY"))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {{
		fmt.Println("refused", err)
		return
	}}
	fmt.Println(answer.StatusCode)
}}
func main() {{
	get("{_OZOR}")
	get("https://example.com/")
}}
"""
_FETCH_THE_FILE = """
import json, os, time, urllib.request
def call(url, body=None):
    headers = {"X-API-Key": os.environ["OZOR_API_KEY"], "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body is not None else None
    return urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=20).read()
base = "https://ozor.ai/api/v1/videos"
begun = json.loads(call(base + "/generate", {"prompt": "A lamp", "export": True}))
job = f"{base}/{begun['videoId']}/jobs/{begun['jobId']}"
while json.loads(call(job))["status"] != "completed":
    time.sleep(0.01)
file = ""
while not file:
    file = json.loads(call(f"{base}/{begun['videoId']}")).get("downloadUrl") or ""
print(file.startswith("https://ozor.ai/"), call(file)[4:8])
"""
_SEND_WHOLE_ADDRESS = """
import os, socket
from urllib.parse import urlsplit
proxy = urlsplit(os.environ["HTTPS_PROXY"])
def ask(target, host):
    with socket.create_connection((proxy.hostname, proxy.port), 20) as client:
        head = f"GET {target} HTTP/1.1\\r\\nHost: {host}\\r\\nConnection: close\\r\\n\\r\\n"
        client.sendall(head.encode())
        return client.makefile("rb").readline().decode().strip()
print(ask("https://ozor.ai/api/v1/videos", "ozor.ai"))
print(ask("https://example.com/", "example.com"))
print(ask("http://ozor.ai/", "ozor.ai"))
print(ask("/api/v1/videos", "ozor.ai"))
print(ask("https://ozor.ai:99999/", "ozor.ai"))
"""

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")


@needs_curl
def test_curl_reaches_the_mock_by_the_real_name_and_no_other_host(shell: Shell) -> None:
    script = f"""
curl -sS {_OZOR} -H "X-API-Key: $OZOR_API_KEY" -w ' %{{http_code}}\\n'
curl -sS https://example.com/; echo "$?"
curl -sS http://example.com/ -o /dev/null -w '%{{http_code}}\\n'
curl -sS http://169.254.169.254/ -o /dev/null -w '%{{http_code}}\\n'
curl -sS https://ozor.ai:8443/ ; echo "$?"
"""

    done = shell.run("run", "--intercept", "--", "bash", "-c", script)

    assert done.out.splitlines() == ['{"videos":[]} 200', "56", "403", "403", "56"]
    lines = done.err.splitlines()
    assert lines.count("screentest: refused a connection to example.com") == 1
    assert "screentest: refused a connection to 169.254.169.254" in lines
    assert lines[-1] == "screentest: 1 request, no findings"


@pytest.mark.long
@pytest.mark.parametrize("client", _CLIENTS)
def test_python_clients_reach_the_mock_and_no_other_host(shell: Shell, client: str) -> None:
    script = _CLIENTS[client] + _GET_TWO

    done = shell.run("run", "--intercept", "--", sys.executable, "-c", script)

    assert done.out.splitlines() == ["200", "refused True"], done.err


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_node_reaches_the_mock_and_no_other_host(shell: Shell) -> None:
    (shell.folder / "own.cjs").write_text('console.log("own hook");')
    (shell.folder / "script.mjs").write_text(_NODE.replace("URL_", json.dumps(_OZOR)))
    own = f'--require="{shell.folder / "own.cjs"}"'

    done = shell.run("run", "--intercept", "--", "node", "script.mjs", NODE_OPTIONS=own)

    refused = (
        "refused screentest: example.com:443 is not an https host of a provider, "
        "and no other is reached"
    )
    assert done.out.splitlines() == [
        "own hook",
        'fetch 200 {"videos":[]}',
        "https 200",
        refused,
        refused,
        "here 200",
    ], done.err


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("go") is None, reason="needs Go")
def test_go_reaches_the_mock_and_no_other_host(shell: Shell) -> None:
    (shell.folder / "main.go").write_text(_GO)
    # Outside of the run: the compiler may fetch nothing there.
    subprocess.run(["go", "build", "-o", "client", "main.go"], cwd=shell.folder, check=True)

    done = shell.run("run", "--intercept", "--", "./client")

    assert done.out.splitlines() == ["200", 'refused Get "https://example.com/": Forbidden']


def test_addresses_in_answers_lead_to_the_mock_too(shell: Shell) -> None:
    options = ["--intercept", "--clock", "auto"]

    done = shell.run("run", *options, "--", sys.executable, "-c", _FETCH_THE_FILE)

    assert done.out == "True b'ftyp'\n", done.err


@pytest.mark.long
def test_proxy_takes_whole_https_addresses_and_refuses_what_it_cannot_lead(shell: Shell) -> None:
    """axios sends a proxy the whole address, without a tunnel."""
    done = shell.run("run", "--intercept", "--", sys.executable, "-c", _SEND_WHOLE_ADDRESS)

    assert done.out.splitlines() == ["HTTP/1.1 401 Unauthorized", *["HTTP/1.1 403 Forbidden"] * 4]


def test_only_served_providers_are_intercepted_and_this_machine_is_reached(shell: Shell) -> None:
    script = (
        "import os, urllib.request\n"
        "def get(url):\n"
        "    try:\n"
        "        return urllib.request.urlopen(url, timeout=20).status\n"
        "    except OSError as error:\n"
        "        return getattr(error, 'code', '403' in str(error))\n"
        f"print(get('{_OZOR}'), get('https://ulazai.com/api/v1/sora/status/x/'))\n"
        "print(get(os.environ['SCREENTEST_URL'] + '/_screentest/health'))\n"
    )
    options = ["--intercept", "--provider", "ulazai"]

    done = shell.run("run", *options, "--", sys.executable, "-c", script, NO_PROXY="ozor.ai")

    assert done.out.splitlines() == ["True 401", "200"]


def test_without_the_extra_the_reason_is_one_line(shell: Shell) -> None:
    (shell.folder / "trustme.py").write_text("raise ImportError\n")
    reason = "error: certificates need the extra tls: pip install 'screentest[tls]'\n"
    path = {"PYTHONPATH": str(shell.folder)}

    run = shell.run("run", "--intercept", "--", "true", **path)
    serve = shell.run("serve", "--port", "0", "--tls", "ca.pem", **path)

    assert (run.code, run.err) == (2, reason)
    assert (serve.code, serve.err) == (2, reason)


def test_tls_serves_the_providers_names_and_leaves_no_key_behind(
    shell: Shell, tmp_path_factory: pytest.TempPathFactory
) -> None:
    temporary = tmp_path_factory.mktemp("temporary")
    options = ["--tls", "authority.pem", "--quiet"]
    with serving_mock(shell, *options, TMPDIR=str(temporary)) as served:
        trusted = ssl.create_default_context(cafile=shell.folder / "authority.pem")
        port = int(served.url.rpartition(":")[2])

        with urllib.request.urlopen(f"{served.url}/_screentest/health", context=trusted) as own:
            status = own.status
        answers = [_ask(trusted, port, it) for it in ("ozor.ai", "api.oshara.ai")]
        with pytest.raises(ssl.SSLCertVerificationError):
            _ask(trusted, port, "example.com")
        with pytest.raises(ssl.SSLCertVerificationError):
            _ask(ssl.create_default_context(), port, "ozor.ai")

        assert served.url.startswith("https://127.0.0.1:")
        assert served.env["OZOR_BASE_URL"] == f"{served.url}/ozor"
        assert (status, answers) == (200, ["HTTP/1.1 401 Unauthorized"] * 2)
        assert list(temporary.iterdir()) == []
        assert b"PRIVATE" not in (shell.folder / "authority.pem").read_bytes()


def _ask(context: ssl.SSLContext, port: int, host: str) -> str:
    """The status line of a call to *host*, which is at *port* of this machine."""
    with (
        socket.create_connection(("127.0.0.1", port), 20) as plain,
        context.wrap_socket(plain, server_hostname=host) as client,
    ):
        path = "/api/v1/videos" if host == "ozor.ai" else "/api/video-jobs/"
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return client.makefile("rb").readline().decode().strip()


def test_names_of_providers_are_foreign_hosts_without_the_option(shell: Shell) -> None:
    with serving_mock(shell, "--quiet") as served:
        request = urllib.request.Request(f"{served.url}/api/v1/videos", headers={"Host": "ozor.ai"})

        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=20)

    assert refused.value.code == 421
