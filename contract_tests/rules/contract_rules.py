"""The rules of a contract: every promise of its two files, as something that can be judged.

A rule's id says what it is about: `money.generateVideo.price`. Families group rules by what kind of
defect breaks them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from screentest.specs.behaviour import Behaviour, Moment, OperationRules
from screentest.specs.call_limits import RateWindow
from screentest.specs.checks import Checks, Example, RequestPlan, View
from screentest.specs.contract import Contract
from screentest.specs.json_types import Json
from screentest.specs.operations import Operation

from .judge import Rule, by_id

FAMILIES = {
    "SCH": "shapes of answers",
    "STA": "statuses and refusals",
    "AUT": "authentication",
    "OWN": "ownership",
    "LIF": "lifecycles",
    "CRD": "money",
    "SSE": "streams",
    "IDM": "idempotency",
    "RTL": "rates and concurrency",
    "WHK": "webhooks",
    "URL": "addresses of files",
    "MED": "media",
    "PAG": "lists",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What rules are derived from."""

    contract: Contract
    checks: Checks

    @property
    def behaviour(self) -> Behaviour:
        return self.contract.behaviour

    def source(self, operation: str) -> str:
        """The first clause behind an operation."""
        return next(iter(self.behaviour.operations[operation].source), "")

    def clauses(self, operation: str) -> tuple[str, ...]:
        """Every clause that is about an operation or about what its answers show."""
        views = self.checks.views.get(operation, ())
        shown = [view.source for view in views if view.source]
        return (*self.behaviour.operations[operation].source, *shown)

    def exceptions(self, operation: str) -> tuple[str, ...]:
        """The clause by which an operation refuses what is valid in shape."""
        found = self.checks.may_refuse.get(operation)
        return (found.source,) if found is not None else ()

    @property
    def operations(self) -> Iterator[tuple[Operation, OperationRules]]:
        for name, operation in self.contract.operations.items():
            yield operation, self.behaviour.operations[name]


def rules_of(contract: Contract, checks: Checks) -> dict[str, Rule]:
    """Every rule of a provider, by id."""
    known = Known(contract, checks)
    return by_id(
        rule
        for derive in (
            _shapes,
            _access,
            _sizes,
            _ownership,
            _states,
            _lifecycles,
            _money,
            _streams,
            _idempotency,
            _rates,
            _webhooks,
            _urls,
            _media,
            _lists,
            _examples,
        )
        for rule in derive(known)
    )


def names_needed(operation: Operation, plan: RequestPlan) -> set[str]:
    """The ids that a request to *operation* names, in its path and in its body."""
    in_path = {it.name for it in operation.parameters if it.place == "path"}
    return in_path | set(_ids_in(plan.json)) | set(_ids_in(plan.form)) | set(_ids_in(plan.query))


def _ids_in(value: Json) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("$ids."):
        yield value[5:]
    elif isinstance(value, Mapping):
        for it in value.values():
            yield from _ids_in(it)
    elif isinstance(value, list):
        for it in value:
            yield from _ids_in(it)


def plain(kind: str) -> str:
    """`agent job`."""
    return kind.replace("_", " ")


def named(kind: str) -> str:
    """`an agent job`."""
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {plain(kind)}"


def takes_bad_input(operation: Operation) -> bool:
    """Whether a request to *operation* can be wrong in its body or its query."""
    return bool(operation.bodies) or any(it.place == "query" for it in operation.parameters)


def _shapes(known: Known) -> Iterator[Rule]:
    for operation, _ in known.operations:
        name, source = operation.id, known.source(operation.id)
        detail = f"answers of {name} are as documented"
        yield Rule(f"shape.{name}", "SCH", detail, source, known.clauses(name))
        if takes_bad_input(operation):
            detail = f"{name} refuses what its schema refuses, and nothing else"
            yield Rule(f"input.{name}", "STA", detail, source)
    replies = known.behaviour.refusals
    if "unknown_route" in replies:
        yield Rule("route.unknown", "STA", "an unknown path is refused", "refusals.unknown_route")
    if "wrong_method" in replies:
        yield Rule("route.method", "STA", "a wrong method is refused", "refusals.wrong_method")


def _access(known: Known) -> Iterator[Rule]:
    order = known.behaviour.refusal_order
    comes_first = order.index("authentication") == 0 if "authentication" in order else False
    for operation, _ in known.operations:
        if not operation.security:
            continue
        name = operation.id
        source = known.source(name)
        yield Rule(f"auth.{name}.missing", "AUT", f"{name} needs a credential", source)
        yield Rule(f"auth.{name}.unknown", "AUT", f"{name} refuses an unknown credential", source)
        # A signed-in session is the provider's to end; the kit can only revoke keys.
        if known.behaviour.credentials[operation.security[0]].key_kind == "api_key":
            detail = f"{name} refuses a revoked credential"
            yield Rule(f"auth.{name}.revoked", "AUT", detail, source)
        if comes_first and operation.bodies and operation.is_body_required:
            detail = f"{name} says nothing about a body before it knows who asks"
            yield Rule(f"auth.{name}.first", "AUT", detail, "refusals.order")
    for scheme, credential in known.behaviour.credentials.items():
        detail = f"{scheme} is taken in each documented way"
        yield Rule(f"auth.{scheme}.ways", "AUT", detail, credential.source)
        detail = f"{scheme} is taken in no other way"
        yield Rule(f"auth.{scheme}.others", "AUT", detail, credential.source)
        if credential.active_max is not None:
            detail = f"at most {credential.active_max} keys are active"
            yield Rule(f"keys.{scheme}.max", "AUT", detail, "credentials.active_max")


def json_operation(contract: Contract, checks: Checks) -> str | None:
    """An operation whose JSON body has a size; None where files are what the sizes are about."""
    if not contract.behaviour.limits.source or upload_operation(contract, checks) is not None:
        return None
    for name, plan in checks.requests.items():
        if isinstance(plan.json, dict) and not names_needed(contract.operations[name], plan):
            return name
    return None


def upload_operation(contract: Contract, checks: Checks) -> tuple[str, str, RequestPlan] | None:
    """An operation that takes a file: its name, the file's field, and a request that has one."""
    plans = [(name, plan) for name, plan in checks.requests.items()]
    plans += [(it.operation, it.plan) for it in checks.accepted if it.plan is not None]
    for name, plan in plans:
        for field, value in (plan.form or {}).items():
            if isinstance(value, dict) and "is" in value:
                return name, field, plan
    return None


def _sizes(known: Known) -> Iterator[Rule]:
    limits = known.behaviour.limits
    if json_operation(known.contract, known.checks) is not None:
        detail = f"a body of {limits.json_bytes_max} bytes passes, and no larger one"
        yield Rule("limits.body", "STA", detail, limits.source)
    if upload_operation(known.contract, known.checks) is not None:
        detail = f"a file of {limits.upload_bytes_max} bytes passes, and no larger one"
        yield Rule("limits.file", "STA", detail, limits.source)


def _ownership(known: Known) -> Iterator[Rule]:
    is_hidden = known.behaviour.foreign == "hide"
    for operation, rules in known.operations:
        plan = known.checks.requests.get(operation.id, RequestPlan())
        if not operation.security or not names_needed(operation, plan):
            continue
        name, source = operation.id, known.source(operation.id)
        how = "hides" if is_hidden or not rules.targets else "refuses"
        detail = f"{name} {how} what belongs to another account"
        yield Rule(f"own.{name}.foreign", "OWN", detail, source)
        yield Rule(f"own.{name}.unknown", "STA", f"{name} says that an unknown id is none", source)
    for name in known.checks.lists:
        detail = f"{name} lists nothing of another account"
        yield Rule(f"own.{name}.hidden", "OWN", detail, known.source(name))


def _states(known: Known) -> Iterator[Rule]:
    for operation, rules in known.operations:
        if rules.effect == "destructive":
            detail = f"what {operation.id} took away is gone, or shows that it has ended"
            yield Rule(f"gone.{operation.id}", "LIF", detail, known.source(operation.id))
    for operation, rules in known.operations:
        for target in rules.targets:
            if target.states:
                states = " or ".join(sorted(target.states))
                detail = f"{operation.id} works only while the {target.kind} is {states}"
                yield Rule(
                    f"state.{operation.id}",
                    "LIF",
                    detail,
                    known.source(operation.id),
                    known.exceptions(operation.id),
                )


def views_of(checks: Checks, kind: str) -> list[View]:
    """Every view of resources of *kind*."""
    return [it for views in checks.views.values() for it in views if it.resource == kind]


def _lifecycles(known: Known) -> Iterator[Rule]:
    for kind, resource in known.behaviour.resources.items():
        views = views_of(known.checks, kind)
        if not views:
            continue
        lifecycle = resource.lifecycle
        source = lifecycle.source if lifecycle is not None else views[0].source
        if lifecycle is not None and any(view.state for view in views):
            yield Rule(
                f"life.{kind}.edges", "LIF", f"{named(kind)} moves along its edges only", source
            )
            if any(state.kind.is_final for state in lifecycle.states.values()):
                yield Rule(
                    f"life.{kind}.final", "LIF", f"{named(kind)} that has ended stays so", source
                )
            if lifecycle.simulated:
                yield Rule(f"life.{kind}.ends", "LIF", f"{named(kind)} ends in time", source)
                makers = {it.by for it in known.checks.makes.values() if it.kind == kind}
                if any(view.state and view.operation in makers for view in views):
                    detail = f"{named(kind)} is not born ended"
                    yield Rule(f"life.{kind}.lasts", "LIF", detail, source)
                yield Rule(f"life.{kind}.fails", "LIF", f"{named(kind)} that fails says so", source)
        yield from _aspects(kind, views, source)


def _aspects(kind: str, views: list[View], source: str) -> Iterator[Rule]:
    """What can be judged of a resource beside its state."""
    aspects = {
        "constant": (
            any(view.constant or view.settles for view in views),
            f"what {named(kind)} was made with does not change",
        ),
        "progress": (
            any(view.progress for view in views),
            f"the progress of {named(kind)} never falls",
        ),
        "shown": (
            any(view.shown for view in views),
            f"{named(kind)} shows results and errors exactly when it has them",
        ),
        "times": (
            any(view.ascending for view in views),
            f"the times of {named(kind)} follow each other",
        ),
        "echoes": (
            any(view.echoes for view in views),
            f"{named(kind)} repeats what was asked for",
        ),
        "same": (
            any(view.asked for view in views),
            f"the {plain(kind)} that was asked for is the one that is answered",
        ),
    }
    for aspect, (is_there, detail) in aspects.items():
        if is_there:
            yield Rule(f"life.{kind}.{aspect}", "LIF", detail, source)


def _money(known: Known) -> Iterator[Rule]:
    if known.behaviour.initial_credits is None:
        return
    for operation, rules in known.operations:
        name, price = operation.id, rules.price
        if price is None:
            continue
        source = price.source
        yield Rule(f"money.{name}.price", "CRD", f"{name} costs {price.formula.text}", source)
        detail = f"a refused {name} costs nothing"
        yield Rule(f"money.{name}.refused", "CRD", detail, source)
        if price.formula.text == "0":
            continue
        detail = f"{name} is refused when the credits do not suffice, and nothing is made"
        yield Rule(f"money.{name}.short", "CRD", detail, source)
        detail = f"{name} is accepted when the credits just suffice"
        yield Rule(f"money.{name}.enough", "CRD", detail, source)
        if rules.starts is not None and price.moment is not Moment.ANSWER:
            detail = f"{named(rules.starts)} that fails costs nothing in the end"
            yield Rule(f"money.{name}.failure", "CRD", detail, source)
    yield Rule("money.free", "CRD", "what has no price costs nothing", "operations")
    for views in known.checks.views.values():
        for view in views:
            if view.charged or view.balance or view.refunded:
                detail = f"the figures that {view.operation} tells are those of the account"
                yield Rule(f"money.{view.operation}.shown", "CRD", detail, view.source)


def _streams(known: Known) -> Iterator[Rule]:
    aspects = {
        "order": "the events come in order",
        "last": "the last event is one that ends it, and nothing follows",
        "rising": "the figure of progress never falls",
        "live": "events come when they happen, not all at the end",
        "error": "a failure is told as the last event",
        "refused": "a refusal comes before the stream, not inside it",
        "state": "the stream and the resource agree on how it ended",
    }
    for name, stream in known.behaviour.streams.items():
        for aspect, detail in aspects.items():
            lifecycle = known.behaviour.lifecycles[stream.lifecycle]
            also = (lifecycle.source,) if aspect == "order" else ()
            yield Rule(f"stream.{name}.{aspect}", "SSE", f"{name}: {detail}", stream.source, also)


def _idempotency(known: Known) -> Iterator[Rule]:
    rules = known.behaviour.idempotency
    if rules is None:
        return
    aspects = {
        "replay": "the same key answers the same",
        "once": "the same key charges once and makes one job",
        "conflict": "the same key with another body is refused",
        "scope": "keys of two accounts do not meet",
        "refusals": "a refusal is not kept for the key",
        "expiry": "a key is forgotten after its time",
    }
    for aspect, detail in aspects.items():
        yield Rule(f"idem.{aspect}", "IDM", detail, rules.source)


def windows_in_force(behaviour: Behaviour) -> list[RateWindow]:
    """The rate windows that hold in the readings that are in force unless others are chosen."""
    return [
        window
        for window in behaviour.rate_windows
        if window.reading is None
        or behaviour.interpretations[window.reading[0]].default == window.reading[1]
    ]


def _rates(known: Known) -> Iterator[Rule]:
    for window in windows_in_force(known.behaviour):
        name, seconds = window.name, window.per_ms // 1_000
        yield Rule(
            f"rate.{name}.limit",
            "RTL",
            f"{name}: {window.limit} calls pass in {seconds} s",
            window.source,
        )
        yield Rule(
            f"rate.{name}.refuses", "RTL", f"{name}: the next call is refused", window.source
        )
        yield Rule(
            f"rate.{name}.wait", "RTL", f"{name}: the wait that is told suffices", window.source
        )
        yield Rule(
            f"rate.{name}.scope", "RTL", f"{name}: counted for one {window.scope}", window.source
        )
        yield Rule(
            f"rate.{name}.slides", "RTL", f"{name}: room returns as old calls age", window.source
        )
    cap = known.behaviour.concurrency
    if cap is None:
        return
    for tier, limit in cap.limits.items():
        detail = f"{tier}: {limit} jobs run at a time, and not one more"
        yield Rule(f"cap.{tier}", "RTL", detail, cap.source)
    yield Rule("cap.frees", "RTL", "a job that has ended makes room", cap.source)


def _webhooks(known: Known) -> Iterator[Rule]:
    rules = known.behaviour.webhooks
    if rules is None:
        return
    for name, event in rules.events.items():
        yield Rule(f"hook.{name}", "WHK", f"{name} is delivered", event.source)
    aspects = {
        "signature": "the signature covers time and body, with the newest secret",
        "retries": "a failed delivery is repeated after the documented waits",
        "stops": "a delivery that was taken is not repeated",
        "id": "every attempt carries the same event id and body",
        "state": "a receiver that looks at once sees the job ended",
        "endpoints": f"at most {rules.endpoints_max} endpoints",
        "rotation": "a rotated secret is used from then on",
    }
    for aspect, detail in aspects.items():
        yield Rule(f"hook.{aspect}", "WHK", detail, rules.source)


def _urls(known: Known) -> Iterator[Rule]:
    shown = {name for views in known.checks.views.values() for view in views for name in view.urls}
    for name, url in known.behaviour.urls.items():
        if name not in shown:
            continue
        yield Rule(f"url.{name}.works", "URL", f"the {name} address answers a file", url.source)
        if url.lives_ms is None:
            yield Rule(f"url.{name}.stays", "URL", f"the {name} address works for ever", url.source)
            continue
        seconds = url.lives_ms // 1_000
        yield Rule(
            f"url.{name}.lives",
            "URL",
            f"the {name} address works for {seconds} s and no longer",
            url.source,
        )
        yield Rule(
            f"url.{name}.fresh", "URL", f"each read gives a fresh {name} address", url.source
        )
        if url.names:
            yield Rule(
                f"url.{name}.sealed", "URL", f"a changed {name} address does not work", url.source
            )


def _media(known: Known) -> Iterator[Rule]:
    for views in known.checks.views.values():
        for view in views:
            if view.media is not None:
                yield from _media_of(view.resource, view.media.source, is_sized=True)
    for kind, make in known.checks.makes.items():
        if make.content is not None:
            source = make.content.source
            yield Rule(
                f"content.{kind}.early",
                "MED",
                f"an unfinished {plain(kind)} has no file",
                source,
                known.exceptions(make.content.operation),
            )
            if not any(v.media for v in views_of(known.checks, kind)):
                yield from _media_of(kind, source, is_sized=False)


def _media_of(kind: str, source: str, *, is_sized: bool) -> Iterator[Rule]:
    yield Rule(
        f"media.{kind}.container", "MED", f"the file of {named(kind)} is a whole MP4", source
    )
    yield Rule(f"media.{kind}.stable", "MED", f"the file of {named(kind)} does not change", source)
    if is_sized:
        detail = f"the file of {named(kind)} has the size and length that were asked for"
        yield Rule(f"media.{kind}.size", "MED", detail, source)


def _lists(known: Known) -> Iterator[Rule]:
    for name, rules in known.checks.lists.items():
        yield Rule(f"list.{name}.complete", "PAG", f"{name} shows what was made", rules.source)
        if rules.newest_first:
            yield Rule(f"list.{name}.order", "PAG", f"{name} shows the newest first", rules.source)
        if rules.limit:
            yield Rule(f"list.{name}.limit", "PAG", f"{name} keeps to its limit", rules.source)
        if rules.after:
            detail = f"the pages of {name} hold everything once"
            yield Rule(f"list.{name}.pages", "PAG", detail, rules.source)


def _examples(known: Known) -> Iterator[Rule]:
    for example in (*known.checks.refused, *known.checks.accepted):
        verb = "refused" if example.because or example.status else "accepted"
        detail = f"{example.operation}: {example.summary} is {verb}"
        yield Rule(rule_of_example(example), "STA", detail, example.source)
    for relation in known.checks.relations:
        yield Rule(
            f"example.{relation.name}",
            "SCH",
            f"{relation.operation}: {relation.summary}",
            relation.source,
        )
    for kind, (_, source) in known.checks.same_as_asked.items():
        yield Rule(f"same.{kind}", "LIF", f"the same {plain(kind)} is not made twice", source)


def rule_of_example(example: Example) -> str:
    return f"example.{example.name}"
