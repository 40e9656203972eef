"""What each part of a contract is about, in the terms of a clause's subject."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..behaviour.reasons import reason_called
from ..contracts.contract import Contract
from ..files import CHECKS
from ..json_types import Json
from ..openapi.openapi_places import Found, field_names
from ..topics import (
    NOT_OF_ANSWERS,
    NOT_OF_FIELDS,
    NOT_OF_INPUT,
    TOPICS_OF_ALL,
    TOPICS_OF_RULE,
    Topic,
)
from .clauses import Subject

_EXPRESSION = re.compile(r"^\$(?:made\.)?(?:request|response|item)\b")


def about(
    *,
    operation: Iterable[str] = (),
    field: Iterable[str] = (),
    status: Iterable[int] = (),
    header: Iterable[str] = (),
    lifecycle: Iterable[str] = (),
    resource: Iterable[str] = (),
    topic: Iterable[Topic] = (),
    never: Iterable[Topic] = (),
) -> Subject:
    """A subject with these values."""
    return Subject(
        frozenset(operation),
        frozenset(field),
        frozenset(status),
        frozenset(it.lower() for it in header),
        frozenset(lifecycle),
        frozenset(resource),
        frozenset(topic),
        frozenset(never),
    )


class ContractSubjects:
    """The subjects of the parts of one contract."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._behaviour = contract.behaviour
        self._checks: Json = contract.content(CHECKS)
        self._raw_operations = {
            method["operationId"]: method
            for item in contract.document["paths"].values()
            for method in item.values()
            if isinstance(method, dict) and "operationId" in method
        }

    def operation(self, name: str, *, statuses: Iterable[int] | None = None) -> Subject:
        """An operation as a whole, or with one of *statuses*."""
        known, rules = self._contract.operations[name], self._behaviour.operations[name]
        kinds = [it.kind for it in rules.targets] + ([rules.starts] if rules.starts else [])
        kinds += [it["resource"] for it in self._checks.get("views", {}).get(name, ())]
        documented = [int(it) for it in known.replies if it.isdigit()]
        return self.kinds(kinds) | about(
            operation={name},
            field=field_names(self._contract.document, self._raw_operations[name]),
            status=documented if statuses is None else statuses,
            header=self._headers(name),
        )

    def resource(self, kind: str) -> Subject:
        """A kind of resource, with the operations that make, show or take it."""
        views = self._checks.get("views", {}).items()
        names = {name for name, shown in views if any(it["resource"] == kind for it in shown)}
        names |= {
            name
            for name, it in self._behaviour.operations.items()
            if it.starts == kind or any(target.kind == kind for target in it.targets)
        }
        made = self._checks.get("makes", {}).get(kind)
        if made is not None:
            names |= {made["by"], *([made["content"]["operation"]] if "content" in made else [])}
        return self.kinds([kind]) | about(operation=names)

    def accepted(self, name: str) -> Subject:
        """Successful calls of an operation."""
        statuses = {
            int(it) for it in self._contract.operations[name].replies if it.isdigit() and it < "3"
        }
        return self.kinds_of(name) | about(operation={name}, status=statuses, never=NOT_OF_ANSWERS)

    def reason(self, reason: str, operation: str = "") -> Subject:
        """Requests that are refused for *reason*, of one operation or of all."""
        rule = self._behaviour.refusals.get(reason)
        own = self.kinds_of(operation) | about(operation={operation}) if operation else Subject()
        topics = frozenset(reason_called(reason).topics)
        headers = self._credential_headers(operation) if "credential" in topics else set[str]()
        headers |= {"retry-after"} if topics & {"rate", "concurrency"} else set()
        headers |= self._idempotency_headers() if "idempotency" in topics else set()
        status = {rule.status} if rule is not None else set[int]()
        return own | about(status=status, topic=topics, header=headers)

    def invalid_field(self, field: str, operation: str) -> Subject:
        """Requests with a wrong value of *field*."""
        names = {operation} if operation else self._takers(field)
        is_header = field.lower() in self._idempotency_headers()
        named = about(header={field}) if is_header else about(field={field})
        statuses = self.reason("invalid").status
        return named | about(operation=names, status=statuses, never=NOT_OF_INPUT)

    def of_schema(self, found: Found) -> Subject:
        """A place of the OpenAPI document."""
        if found.is_whole:
            return self.operation(next(iter(found.operations)))
        if not found.operations:
            *_, last = found.at.split("/")
            return self.at(("credentials", last)) if last != "info" else self.at(("accounts",))
        base = Subject()
        for name in found.operations:
            base |= self.kinds_of(name)
        return base | about(
            operation=found.operations,
            field=found.fields,
            status=found.statuses - {0},
            header=found.headers,
            never=NOT_OF_FIELDS if found.fields else (),
        )

    def rule(self, rule_id: str) -> Subject:
        """A rule of the contract kit, by the names in its id."""
        kind, _, rest = rule_id.partition(".")
        steps = rest.split(".")
        found = about(topic=TOPICS_OF_RULE.get(kind, frozenset()))
        for step in steps:
            if step in self._contract.operations:
                found |= self.kinds_of(step) | about(operation={step})
            elif step in self._behaviour.resources and kind != "auth":
                found |= self.resource(step)
            elif step in self._behaviour.credentials:
                found |= self.at(("credentials", step))
        return found

    def at(self, steps: Sequence[str]) -> Subject:
        """A place of the behaviour file."""
        behaviour = self._behaviour
        match steps:
            case ["credentials", scheme, *_]:
                headers = {header for header, _ in behaviour.credentials[scheme].forms}
                return about(header=headers, topic={"credential"})
            case ["accounts", *_]:
                return about(topic=TOPICS_OF_ALL)
            case ["provider", *_]:
                return about(topic={"method", "environment"})
            case ["limits", *_]:
                return self.reason("too_large")
            case ["lifecycles", name, *_]:
                return self._lifecycle(name)
            case ["resources", kind, *_]:
                return self.resource(kind)
            case ["operations", name, "price", *_]:
                return self.kinds_of(name) | about(operation={name}, topic={"price", "credits"})
            case ["operations", name, *_]:
                return self.operation(name)
            case ["refusals", "replies", reason, *_]:
                return self.reason(reason)
            case ["cadence", *_] if behaviour.cadence is not None:
                return about(operation=behaviour.cadence.operations, topic={"cadence"})
            case ["rate_windows", number, *_]:
                window = behaviour.rate_windows[int(number)]
                return self.reason("rate_limited") | about(operation=window.operations)
            case ["concurrency", *_]:
                return self._running() | self.reason("too_many_running")
            case ["idempotency", *_] if behaviour.idempotency is not None:
                names = behaviour.idempotency.operations
                return self.reason("idempotency_mismatch") | about(operation=names)
            case ["streams", name, *_]:
                return self._stream(name)
            case ["urls", name, *_]:
                return self._url(name)
            case ["media", *_]:
                return about(topic={"media"})
            case ["webhooks", "events", name, *_] if behaviour.webhooks is not None:
                event = behaviour.webhooks.events[name]
                return self._lifecycle(event.lifecycle) | about(topic={"webhook"})
            case ["webhooks", *_]:
                return about(topic={"webhook"})
            case _:
                raise AssertionError(f"no subject for {'/'.join(steps)}")

    def kinds(self, kinds: Iterable[str]) -> Subject:
        """Those of *kinds* that are resources, with their lifecycles."""
        known = [self._behaviour.resources[it] for it in kinds if it in self._behaviour.resources]
        lifecycles = {it.lifecycle.name for it in known if it.lifecycle is not None}
        return about(resource={it.name for it in known}, lifecycle=lifecycles)

    def kinds_of(self, operation: str) -> Subject:
        """The resources that an operation takes, makes or shows, with their lifecycles."""
        whole = self.operation(operation)
        return about(resource=whole.resource, lifecycle=whole.lifecycle)

    def _lifecycle(self, name: str) -> Subject:
        kinds = [
            it.name
            for it in self._behaviour.resources.values()
            if it.lifecycle is not None and it.lifecycle.name == name
        ]
        found = about(lifecycle={name}, topic={"lifecycle"})
        for kind in kinds:
            found |= self.resource(kind)
        return found

    def _stream(self, name: str) -> Subject:
        stream = self._behaviour.streams[name]
        fields = {field for event in (*stream.events, stream.on_error) for field in event}
        topic = about(operation={name}, field=fields - {"for_each"}, topic={"stream"})
        return self.kinds_of(name) | topic

    def _url(self, name: str) -> Subject:
        found = about(topic={"url"})
        for operation, views in self._checks.get("views", {}).items():
            for view in views:
                if name in view.get("urls", {}):
                    fields = fields_in(view["urls"][name])
                    found |= about(operation={operation}, field=fields)
        return found

    def _running(self) -> Subject:
        counted = [it.name for it in self._behaviour.resources.values() if it.counts_as_running]
        starters = {n for n, it in self._behaviour.operations.items() if it.starts in counted}
        return self.kinds(counted) | about(operation=starters)

    def _takers(self, field: str) -> set[str]:
        """The operations that have a parameter or a field called *field*."""
        last = field.rpartition(".")[2]
        document = self._contract.document
        return {
            name for name, raw in self._raw_operations.items() if last in field_names(document, raw)
        }

    def _headers(self, operation: str) -> set[str]:
        known = self._contract.operations[operation]
        headers = {name for reply in known.replies.values() for name in reply.headers}
        headers |= {it.name for it in known.parameters if it.place == "header"}
        rules = self._behaviour.idempotency
        if rules is not None and operation in rules.operations:
            headers.add(rules.header)
        return headers | self._credential_headers(operation)

    def _credential_headers(self, operation: str) -> set[str]:
        known = self._behaviour.credentials
        schemes = self._contract.operations[operation].security if operation else known.keys()
        return {header for it in schemes for header, _ in known[it].forms}

    def _idempotency_headers(self) -> set[str]:
        rules = self._behaviour.idempotency
        return {rules.header} if rules is not None else set()


def dotted(pointer: str) -> str:
    """`scenes.imageRefs` for `/scenes/*/imageRefs`."""
    steps = (it for it in pointer.split("/") if it and it != "*" and not it.isdigit())
    return ".".join(steps)


def fields_in(value: Json) -> set[str]:
    """The fields that the expressions in *value* point at, in dotted form."""
    if isinstance(value, str) and _EXPRESSION.match(value):
        at, _, pointer = value.partition("#")
        named = at.rpartition(".")[2] if ".path." in at or ".query." in at else ""
        return {dotted(pointer) or named} - {""}
    if isinstance(value, dict):
        return fields_in([*value, *value.values()])
    return set().union(*map(fields_in, value)) if isinstance(value, list) else set()
