"""What a behaviour file leaves out: derived from the OpenAPI document, or our own figures.

An operation that the file does not name is *unbehaved*: it keeps nothing, and answers a value made
for its schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..behaviour.operations import UNBEHAVED
from ..json_types import Json
from ..openapi.documents import Documents
from ..openapi.grammar import METHODS

#: File names that do not name the API that the file describes.
_PLAIN_NAMES = frozenset({"openapi", "swagger", "api", "spec", "schema", "external_api"})
_EFFECTS = {
    "get": "read",
    "head": "read",
    "options": "read",
    "trace": "read",
    "delete": "destructive",
}
_ORDER = ["authentication", "body", "validation"]
_JSON_BYTES_MAX = 10_000_000
_UPLOAD_BYTES_MAX = 500_000_000
_KEY_LENGTH = 32
#: The address of a provider without servers: a name that never resolves.
_NOWHERE = "https://{name}.invalid"


def completed(rules: Mapping[str, Json], document: Json, path: Path) -> Json:
    """The content *rules* of a behaviour file, with everything that it leaves out.

    *document* is the OpenAPI document beside it, read from *path*.
    """
    provider = rules.get("provider", {})
    name = provider.get("id") or name_of(document, path)
    refusals = rules.get("refusals", {})
    return {
        **rules,
        "provider": {**_provider(document, name), **provider},
        "accounts": rules.get("accounts", {"initial_credits": None}),
        "credentials": {**_credentials(document, name), **rules.get("credentials", {})},
        "refusals": {
            "order": _ORDER,
            "body": {"detail": "$message"},
            "replies": {},
            **refusals,
        },
        "limits": {
            "json_bytes_max": _JSON_BYTES_MAX,
            "upload_bytes_max": _UPLOAD_BYTES_MAX,
            **rules.get("limits", {}),
        },
        "operations": {**_unbehaved(document), **rules.get("operations", {})},
    }


def name_of(document: Json, path: Path) -> str:
    """The name of the provider of *document*: its file's, its folder's, or that of its title."""
    title = re.sub(
        r"(?i)\b(rest|public|api|v\d[\d.]*)\b", " ", document.get("info", {}).get("title", "")
    )
    is_plain = path.stem.lower() in _PLAIN_NAMES
    found = [_identifier(it) for it in ("" if is_plain else path.stem, title, path.parent.name)]
    return next((it for it in found if it), "api")


def base_urls(document: Json) -> list[str]:
    """The addresses of the provider's servers, those of paths and operations as well."""
    found = [*_urls(document)]
    for item in document["paths"].values():
        found += _urls(item)
        for method in METHODS:
            found += _urls(item.get(method, {}))
    return list(dict.fromkeys(found))


def _urls(value: Json) -> Iterator[str]:
    for server in value.get("servers", ()):
        url = server["url"]
        for name, variable in server.get("variables", {}).items():
            url = url.replace(f"{{{name}}}", str(variable["default"]))
        if re.match(r"https?://[^/{}]+", url):
            yield url.rstrip("/")


def _provider(document: Json, name: str) -> dict[str, Json]:
    urls = base_urls(document) or [_NOWHERE.format(name=name.replace("_", "-"))]
    url = urls[0]
    documented = document.get("externalDocs", {}).get("url", url)
    prefix = name.upper()
    environment = {f"{prefix}_BASE_URL": "base_url"}
    if document.get("components", {}).get("securitySchemes"):
        environment[f"{prefix}_API_KEY"] = "api_key"
    return {
        "id": name,
        "name": document.get("info", {}).get("title") or name,
        "base_url": url,
        "also_at": urls[1:],
        "document": {"url": documented, "read": ""},
        "environment": environment,
    }


def _credentials(document: Json, name: str) -> dict[str, Json]:
    documents = Documents(name, document)
    schemes = document.get("components", {}).get("securitySchemes", {})
    found = {scheme: _accepted(documents.resolve(it)) for scheme, it in schemes.items()}
    form = f"{name}_{{base62:{_KEY_LENGTH}}}"
    return {
        scheme: {"accepts": [accepted], "key": "api_key", "form": form}
        for scheme, accepted in found.items()
        if accepted
    }


def _accepted(scheme: Json) -> dict[str, str]:
    """Where a request shows its key; empty where the connection itself does."""
    if scheme["type"] == "apiKey":
        return {scheme["in"]: scheme["name"]}
    if scheme["type"] == "http":
        return {"header": "Authorization", "scheme": scheme["scheme"].capitalize()}
    if scheme["type"] in {"oauth2", "openIdConnect"}:
        return {"header": "Authorization", "scheme": "Bearer"}
    return {}


def _unbehaved(document: Json) -> dict[str, Json]:
    return {
        item[method]["operationId"]: {"effect": _EFFECTS.get(method, "write"), "does": UNBEHAVED}
        for item in document["paths"].values()
        for method in METHODS
        if method in item
    }


def _identifier(text: str) -> str:
    words = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return words if words[:1].isalpha() else ""
