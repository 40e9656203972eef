"""HAR files, the format in which browsers and proxies save traffic.

Many parts of HAR 1.2 are optional, and browsers leave out more: credentials, bodies of files,
answers from a cache. A missing part is not judged; entries for other servers are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import SplitResult, urlencode, urlsplit

from msgspec.structs import replace

from screentest.specs.behaviour.sent_keys import credential_in
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.redaction import REDACTED, Secrets
from screentest.specs.contracts.registry import Contracts, shipped_contracts

from ..monitors.undocumented import Undocumented
from ..rules.judge import Judge
from ..traces.caller_identity import Callers
from ..traces.strict_json import read_as, read_base64, read_json
from ..traces.trace import Exchange, LackingPart, Raw, Trace, find_operation, understand
from .har_forms import Content, HarEntry, HarFile, HarRequest, HarResponse, Pair, PostData

#: Words that tools put in place of a credential, beside repeated characters.
_MASKS = frozenset({"redacted", "removed", "hidden", "masked", "secret", "filtered"})
#: Browsers keep the stack of each request's script, which can be long.
_DEPTH_MAX = 500
_CACHED = "answers from a cache"
#: A page loads pictures and statistics from dozens of hosts.
_REASONS_SHOWN_MAX = 8


@dataclass(frozen=True, slots=True)
class HarReading:
    """The exchanges of a HAR file, and how many entries were left out, by reason."""

    trace: Trace
    skipped: Counter[str] = field(default_factory=Counter[str])


def har_of(
    text: str,
    name: str,
    contract: Contract,
    secrets: Secrets | None = None,
    contracts: Contracts | None = None,
) -> HarReading:
    """The exchanges of a HAR file with *contract*'s provider, oldest first.

    *text* is the content of the file *name*. Calls to the providers of *contracts* are theirs.

    Each credential in it counts as an account of its own, unless an answer contained it; a call
    without one is anonymous. If no entry has a credential in the documented headers, they were
    removed from the file, and the caller is unknown. *secrets* learns the credentials.

    Raises:
        ValueError: it is not a HAR file, or has no call of the provider.
    """
    skipped: Counter[str] = Counter()
    found = [it for it in _entries(text, name) if not _is_skipped(it, skipped)]
    found.sort(key=lambda it: it.raw.at_ms)
    ours = _Places(contract, found, contracts or shipped_contracts())
    callers = _Callers(contract, found)
    unknown = Undocumented(contract, Judge({}))
    trace = Trace(contract.provider)
    for entry in found:
        below = ours.below(entry)
        if below is None:
            skipped[f"calls of {entry.host}"] += 1
            continue
        raw = replace(entry.raw, path=below)
        exchange = callers.understand(raw, number=len(trace.events) + 1)
        unknown.see(exchange)
        why_not = "" if exchange.operation else unknown.why_no_call(exchange)
        if why_not:
            skipped[f"{why_not} at the provider"] += 1
            continue
        trace.add(exchange)
        if secrets is not None and not callers.is_masked(raw.request_headers):
            secrets.learn_from(raw.request_headers)
    if not any(it.operation for it in trace.exchanges):
        why = tally(skipped) or "it has no entries"
        raise ValueError(f"{name}: nothing in it is about {contract.provider}: {why}")
    return HarReading(trace, skipped)


def raws_of_har(text: str, name: str) -> Iterator[tuple[str, Raw]]:
    """(origin, exchange) of each entry that a server answered, in the order of the file.

    Raises:
        ValueError: it is not a HAR file.
    """
    skipped: Counter[str] = Counter()
    for entry in _entries(text, name):
        if not _is_skipped(entry, skipped):
            yield entry.origin, entry.raw


def tally(skipped: Counter[str]) -> str:
    """`3 calls of example.org, 1 redirects`, the most frequent first."""
    shown = [f"{count} {why}" for why, count in skipped.most_common(_REASONS_SHOWN_MAX)]
    rest = skipped.total() - sum(count for _, count in skipped.most_common(_REASONS_SHOWN_MAX))
    return ", ".join([*shown, f"{rest} more"] if rest else shown)


# Entries


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry: its address, its request and its answer."""

    origin: str
    host: str
    raw: Raw
    is_cached: bool


def _entries(text: str, name: str) -> Iterator[_Entry]:
    """The entries of a file, in its own order.

    Raises:
        ValueError: it is not a HAR file; the message says where.
    """
    try:
        log = read_json(text, depth_max=_DEPTH_MAX)
    except ValueError as error:
        raise ValueError(f"{name} is not a HAR file: {error}") from None
    entries = read_as(HarFile, log, f"{name} is not a HAR file").log.entries
    at_ms = 0
    for number, entry in enumerate(entries, start=1):
        where = f"{name}: entry {number}"
        read = _read_entry(read_as(HarEntry, entry, where), at_ms, where)
        at_ms = read.raw.at_ms
        yield read


def _read_entry(entry: HarEntry, before_ms: int, where: str) -> _Entry:
    """An entry; without a time of its own it has *before_ms*."""
    request, response = entry.request, entry.response
    try:
        parts = urlsplit(request.url)
    except ValueError as error:
        raise ValueError(f"{where}: at request/url: {error}") from None
    lacks: set[LackingPart] = set()
    headers = _headers(response.headers)
    if not headers:
        lacks.add(LackingPart.HEADERS)
    content = response.content or Content()
    if content.mime_type:
        headers.setdefault("content-type", content.mime_type)
    status = response.status or 0
    body = _content(content, f"{where}: at response/content/text")
    if body is None and not _is_empty(request.method, status, response, content):
        lacks.add(LackingPart.BODY)
    sent, is_whole = _sent(request, f"{where}: at request/postData/text")
    if not is_whole:
        lacks.add(LackingPart.SENT)
    started = entry.started_date_time
    at_ms = _instant_ms(started, where) if started else before_ms
    raw = Raw(
        method=request.method.upper(),
        path=parts.path or "/",
        query=parts.query,
        request_headers=_headers(request.headers),
        request_body=sent,
        status=status,
        headers=headers,
        body=body or b"",
        at_ms=at_ms,
        ended_ms=at_ms + max(0, int(entry.time or 0)),
        lacks=frozenset(lacks),
    )
    is_cached = status == 304 or bool(entry.from_cache or response.from_cache)
    host = _host(parts)
    return _Entry(f"{parts.scheme}://{host}", host, raw, is_cached)


def _host(parts: SplitResult) -> str:
    """Host and port, without the default port."""
    host = parts.netloc.rpartition("@")[2].lower()
    return host.removesuffix({"https": ":443", "http": ":80"}.get(parts.scheme, ""))


def _headers(pairs: Sequence[Pair] | None) -> dict[str, str]:
    """The headers, without those in which HTTP/2 has the request line."""
    return {it.name.lower(): it.value or "" for it in pairs or () if not it.name.startswith(":")}


def _content(content: Content, where: str) -> bytes | None:
    """The body of an answer; None when it is not in the file."""
    if content.text is None:
        return None
    if content.encoding == "base64":
        return read_base64(content.text, where)
    return content.text.encode("utf-8", "surrogatepass")


def _is_empty(method: str, status: int, response: HarResponse, content: Content) -> bool:
    """Whether an answer without text had no body, by its recorded sizes."""
    if method == "HEAD" or status in {204, 304}:
        return True
    return content.size == 0 and response.body_size in {None, 0, -1}


def _sent(request: HarRequest, where: str) -> tuple[bytes, bool]:
    """The body of a request, and whether it is complete: browsers leave files out."""
    posted = request.post_data or PostData()
    text, params = posted.text, posted.params or ()
    if text:
        if posted.encoding == "base64":
            return read_base64(text, where), True
        return text.encode("utf-8", "surrogatepass"), 'filename="' not in text
    if params and (posted.mime_type or "").startswith("application/x-www-form-urlencoded"):
        return urlencode([(it.name, it.value or "") for it in params]).encode(), True
    return b"", not params and (request.body_size or 0) <= 0


def _instant_ms(text: str, where: str) -> int:
    try:
        read = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise ValueError(f"{where}: at startedDateTime: {text!r} is not an instant") from None
    since = (read if read.tzinfo else read.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000 + since.microseconds // 1_000


def _is_skipped(entry: _Entry, skipped: Counter[str]) -> bool:
    """Whether the answer in the entry did not come from a server; counts it in *skipped*."""
    if entry.raw.status <= 0:
        skipped["without an answer"] += 1
    elif entry.is_cached:
        skipped[_CACHED] += 1
    else:
        return False
    return True


# Where the provider is


class _Places:
    """The base addresses of the provider's calls: its own, or those of a server in its place."""

    def __init__(
        self, contract: Contract, entries: Iterable[_Entry], known: Iterable[Contract]
    ) -> None:
        # What other providers answer is not about this one, however alike the paths are.
        self._bases: dict[str, set[str]] = {}
        own, others = _host_of(contract), {_host_of(it) for it in known} - {_host_of(contract)}
        entries = list(entries)
        if any(it.host == own for it in entries):
            self._bases[own] = {urlsplit(contract.behaviour.base_url).path.rstrip("/")}
        for entry in entries:
            tail = None
            if entry.host != own and entry.host not in others:
                tail = _known_tail(contract, entry.raw.method, entry.raw.path)
            if tail is not None:
                base = entry.raw.path.removesuffix(tail)
                self._bases.setdefault(entry.host, set()).add(base)

    def below(self, entry: _Entry) -> str | None:
        """The path of *entry* as the contract writes it; None when it is not with the provider."""
        for base in sorted(self._bases.get(entry.host, ()), key=len, reverse=True):
            if entry.raw.path.startswith(f"{base}/"):
                return entry.raw.path.removeprefix(base)
        return None


def _host_of(contract: Contract) -> str:
    return urlsplit(contract.behaviour.base_url).netloc.lower()


def _known_tail(contract: Contract, method: str, path: str) -> str | None:
    """*path* from where an operation begins: other servers may have any prefix before it."""
    steps = path.split("/")
    for start in range(1, len(steps)):
        tail = "/" + "/".join(steps[start:])
        if find_operation(contract, method, tail)[0] is not None:
            return tail
    return None


# Who asked


class _Callers:
    """The caller of each entry, if the file still has its credential."""

    def __init__(self, contract: Contract, entries: Iterable[_Entry]) -> None:
        self._contract = contract
        self._callers = Callers(contract)
        self._kept = {
            place
            for it in entries
            for place in credential_in(contract.behaviour, it.raw.request_headers, it.raw.query)
        }

    def understand(self, raw: Raw, *, number: int) -> Exchange:
        actor, key = self._callers.who_asked(raw)
        operation, _ = find_operation(self._contract, raw.method, raw.path)
        schemes = operation.security if operation is not None else ()
        credentials = self._contract.behaviour.credentials
        taken = {place for it in schemes for place, _ in credentials[it].forms}
        is_stripped = not key and bool(taken - self._kept)
        if is_stripped or self.is_masked(raw.request_headers):
            raw = replace(raw, lacks=raw.lacks | {LackingPart.CALLER})
            actor, key = "owner", ""
        return understand(self._contract, raw, number=number, actor=actor, key=key)

    def is_masked(self, headers: Mapping[str, str]) -> bool:
        """Whether a mask replaces the credential."""
        named = self._contract.behaviour.credential_headers
        sent = [headers[name] for name in named if headers.get(name)]
        return any(_is_mask(value.split()[-1]) for value in sent if value.split())


def _is_mask(value: str) -> bool:
    inside = value.strip("[](){}<>_-. ").lower()
    is_one_character = len(inside) >= 3 and len(set(inside)) == 1
    return value == REDACTED or inside in _MASKS or is_one_character or "***" in value
