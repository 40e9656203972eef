"""The format of behaviour.yaml: its sections."""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct

from ..formats import means
from ..json_types import Json
from .call_limits import Cadence, Concurrency, Idempotency, Limits, RateWindow
from .citations import Citations
from .credentials import Credential
from .deliveries import EXAMPLE as _EVENT
from .deliveries import WebhookRules
from .lifecycles import Lifecycle
from .operations import OperationRules, ResourceKind
from .outputs import StreamRules, UrlRules
from .refusals import RefusalsSection
from .retirement import Retirement

_Url = Annotated[str, Meta(pattern="^https?://")]


class Document(Struct, frozen=True, forbid_unknown_fields=True):
    """The provider's document that the contract was written from."""

    url: Annotated[_Url, means("Its address.", "https://lamp.example/docs")] = ""
    read: Annotated[str, means("The day on which it was read.", "2026-11-21")] = ""


class ProviderSection(Struct, frozen=True, forbid_unknown_fields=True):
    """Who the provider is. What is left out comes from the OpenAPI file."""

    id: Annotated[
        str, means("Its name in commands and paths.", "lamp"), Meta(pattern="^[a-z][a-z0-9_]*$")
    ] = ""
    name: Annotated[str, means("Its name in texts.", "Lamp Video")] = ""
    base_url: Annotated[_Url, means("Where it is.", "https://api.lamp.example")] = ""
    also_at: Annotated[
        tuple[_Url, ...], means("Further addresses.", ["https://eu.lamp.example"])
    ] = ()
    document: Annotated[
        Document, means("Its document.", {"url": "https://lamp.example", "read": "2026-11-21"})
    ] = Document()
    prefixes: Annotated[
        tuple[str, ...], means("Path prefixes of every operation; '' for none.", ["", "/v1"])
    ] = ("",)
    environment: Annotated[
        Mapping[str, str],
        means(
            "Variables for clients: `base_url`, `api_key` or a text with `{base_url}`.",
            {"LAMP_API_KEY": "api_key"},
        ),
    ] = {}


class AccountsSection(Struct, frozen=True, forbid_unknown_fields=True):
    """What an account has."""

    initial_credits: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        means("The credits of a new account; null for a provider without credits.", 100),
    ] = None
    tiers: Annotated[
        tuple[str, ...], means("The kinds of account.", ["free", "pro"]), Meta(min_length=1)
    ] = ("default",)


class BehaviourFile(Struct, frozen=True, forbid_unknown_fields=True):
    """What OpenAPI cannot express. Durations are integer milliseconds, money is integer credits.

    Only `behaviour` is needed: what is left out comes from the OpenAPI file.
    """

    behaviour: Annotated[Literal[1], means("The version of this format.", 1)]
    provider: Annotated[ProviderSection, means("Who the provider is.", {"id": "lamp"})] = (
        ProviderSection()
    )
    accounts: Annotated[
        AccountsSection, means("What an account has.", {"initial_credits": 100})
    ] = AccountsSection()
    credentials: Annotated[
        Mapping[str, Credential],
        means(
            "By security scheme of the OpenAPI file.",
            {
                "key": {
                    "accepts": [{"header": "X-Api-Key"}],
                    "key": "api_key",
                    "form": "sk_{hex:32}",
                }
            },
        ),
    ] = {}
    refusals: Annotated[
        RefusalsSection, means("How requests are refused.", {"foreign": "hide"})
    ] = RefusalsSection()
    limits: Annotated[
        Limits | None,
        means("Sizes.", {"json_bytes_max": 1_000_000, "upload_bytes_max": 50_000_000}),
    ] = None
    lifecycles: Annotated[
        Mapping[str, Lifecycle],
        means(
            "By name.",
            {"key": {"states": {"active": {"kind": "resting"}}, "edges": {"active": []}}},
        ),
    ] = {}
    resources: Annotated[
        Mapping[str, ResourceKind],
        means("By name.", {"video": {"id": "vid_{base62:12}", "lifecycle": "video"}}),
    ] = {}
    operations: Annotated[
        Mapping[str, OperationRules],
        means("By operation id.", {"createVideo": {"does": "create", "starts": "video"}}),
    ] = {}
    cites: Annotated[
        Citations, means("The clauses that a finding names.", {"reasons": {"too_large": ["A1"]}})
    ] = Citations()
    rate_windows: Annotated[
        tuple[RateWindow, ...],
        means(
            "Limits of calls over time.",
            [{"name": "calls", "operations": ["createVideo"], "limit": 10, "per_ms": 60_000}],
        ),
    ] = ()
    concurrency: Annotated[
        Concurrency | None,
        means("Limits of running jobs.", {"limits": {"default": 2}, "scope": "account"}),
    ] = None
    idempotency: Annotated[
        Idempotency | None,
        means(
            "Repeated keys.",
            {"header": "Idempotency-Key", "operations": ["createVideo"], "keeps_ms": 86_400_000},
        ),
    ] = None
    cadence: Annotated[
        Cadence | None,
        means("The advised pace of polls.", {"operations": ["getVideo"], "at_least_ms": 5_000}),
    ] = None
    retires: Annotated[
        tuple[Retirement, ...],
        means("What ends on a day.", [{"day": "2026-09-24", "models": ["lamp-1"]}]),
    ] = ()
    streams: Annotated[
        Mapping[str, StreamRules],
        means(
            "By operation id.",
            {
                "streamPlan": {
                    "lifecycle": "plan",
                    "events": [{"event": "done"}],
                    "on_error": {"event": "error"},
                    "order": ["done"],
                    "last": ["done", "error"],
                    "name_field": "event",
                    "rising_field": "progress",
                }
            },
        ),
    ] = {}
    urls: Annotated[
        Mapping[str, UrlRules],
        means("Kinds of URL.", {"video": {"path": "{id}/video.mp4", "lives_ms": 3_600_000}}),
    ] = {}
    webhooks: Annotated[
        WebhookRules | None,
        means(
            "Deliveries.",
            {
                "events": _EVENT,
                "id": "evt_{hex:24}",
                "body": {"id": "$id"},
                "headers": {},
                "retries_ms": [60_000],
                "endpoints_max": 10,
                "secret_form": "whsec_{base62:32}",
            },
        ),
    ] = None
    media: Annotated[
        Mapping[str, Json],
        means("The finished files.", {"size": [1280, 720], "fps": 24, "duration_s": 4}),
    ] = {}
    facts: Annotated[
        Mapping[str, Json], means("Further figures for the provider's functions.", {"voices": 3})
    ] = {}
