"""A first behaviour file for an OpenAPI document, as far as it can be guessed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatch

from msgspec import Struct

from ..behaviour.lifecycles import Kind
from ..errors import UnknownNameError, no_such
from ..json_types import Json
from ..openapi.documents import Documents
from ..openapi.operations import Operation, compile_operations
from .access import add_access, add_limits
from .deliveries import Drawn, Event, add_deliveries, events_of
from .draft import Draft
from .filling import Known
from .forms import UUID, form_of, sample_of
from .found import Answer, Found, Link, answer_of
from .links import find_resources
from .pages import list_of
from .reads import id_places
from .recorded import Recorded, Seen
from .requests import requests_of
from .values import at, leaves
from .views import States, View, creation_answer, edges_of, view_of
from .words import KIND_ORDER, Role, kind_of_state, role_of

#: Where nothing says how long a state lasts.
_LASTS_MS = {Kind.WAITING: [1_000, 5_000], Kind.RUNNING: [20_000, 60_000]}
_LISTED_MAX = 6
_NO_CONTENT = 204


class _Price(Struct, frozen=True):
    amount: int
    because: str


def draft_contract(
    name: str,
    document: Json,
    *,
    only: Collection[str] = (),
    calls: Sequence[Seen] = (),
    events: Json = None,
) -> Draft:
    """The draft for *document* and recorded *calls*, about the operations *only*, or all.

    *events* is a document of the webhooks, where the vendor publishes one beside its API's.

    Raises:
        UnknownNameError: *only* names an operation that the document does not have.
    """
    operations = _chosen(compile_operations(Documents(name, document)), only)
    recorded = Recorded(calls, operations)
    draft = Draft({"behaviour": 1, "provider": {"id": name}})
    answers = {id_: answer_of(it) for id_, it in operations.items()}
    links, states = recorded.links(), recorded.states()
    found = find_resources(operations, answers, links, states, draft.unknown)
    sent = events_of(events or document)
    if events is not None and not sent:
        draft.unknown.append("which events there are (the second OpenAPI file has none)")
    _Drafting(draft, document, operations, answers, recorded, sent).add_all(found)
    return draft


def _chosen(operations: Mapping[str, Operation], only: Collection[str]) -> dict[str, Operation]:
    found: dict[str, Operation] = {}
    for wanted in only:
        matching = {it: operations[it] for it in operations if fnmatch(it, wanted)}
        if not matching:
            raise UnknownNameError(no_such("operation", wanted, operations, listed_max=10))
        found |= matching
    return found if only else dict(operations)


class _Drafting:
    """Fills one draft, section by section."""

    def __init__(
        self,
        draft: Draft,
        document: Json,
        operations: Mapping[str, Operation],
        answers: Mapping[str, Answer | None],
        recorded: Recorded,
        events: Sequence[Event],
    ) -> None:
        self._answers = answers
        self._events = events
        self._draft = draft
        self._document = document
        self._operations = operations
        self._recorded = recorded
        self._prices: dict[str, _Price] = {}
        self._lifecycles: dict[str, States] = {}
        self._drawn: list[Drawn] = []

    def add_all(self, found: Sequence[Found]) -> None:
        """Add everything about the resources *found*."""
        for link in (link for it in found for link in it.creates):
            price = self._price(link.operation)
            if price is not None:
                self._prices[link.operation.id] = price
        amounts = [it.amount for it in self._prices.values()]
        add_access(self._draft, self._document, self._operations, self._recorded, amounts)
        self._draft.rules["lifecycles"] = {}
        for it in sorted(found, key=lambda it: it.creates[0].operation.path.count("{")):
            self._add_resource(it)
        jobs = [it for it in self._drawn if it.states]
        polled = [it.found.read.id for it in jobs]
        add_limits(self._draft, self._operations, self._recorded, polled)
        if jobs:
            url = {"path": "{id}/video.mp4", "lives_ms": None}
            self._draft.put(("urls", "video"), url, "files never expire", "no lifetime is known")
            media = {"size": [1280, 720], "fps": 24, "duration_s": 4}
            self._draft.put(("media",), media, "size, rate and length", "nothing names them")
            add_deliveries(self._draft, self._events, jobs)
        else:
            del self._draft.rules["lifecycles"]
            self._draft.unknown.append("which operation starts a job, and which one reads it")
        self._ask()

    def _price(self, operation: Operation) -> _Price | None:
        recorded = self._recorded.cost(operation.id)
        if recorded is not None:
            return _Price(recorded, "the recording shows it")
        answer = self._answers[operation.id]
        value, full = (answer.value, answer.full) if answer is not None else (None, None)
        made = dict(leaves("", full))
        for name, amount in leaves("", value):
            if role_of(name, amount) is Role.COST and amount >= 0:
                is_example = amount != made.get(name)
                said = (
                    f"the example of {name!r} has it" if is_example else f"{name!r} has no example"
                )
                return _Price(int(amount), said)
        if "402" in operation.replies:
            return _Price(1, "402 is documented without an amount")
        return None

    # Resources

    def _add_resource(self, found: Found) -> None:
        """Add *found*, if its answers can be said."""
        draft, name = self._draft, found.name
        states = _ordered(found.states) if found.status_at is not None else []
        drawn = self._view(found, states)
        if drawn is None:
            draft.unknown.append(f"how the answer of {found.read.id} shows its {name}")
            return
        view, known, form, because = drawn
        answers = {
            it.operation.id: creation_answer(self._answers[it.operation.id], found, known, states)
            for it in found.creates
        }
        draft.unknown += [
            f"how the answer of {id_} shows its {name}" for id_, it in answers.items() if it is None
        ]
        created = [
            it
            for it in found.creates
            if answers[it.operation.id] is not None and self._has_parent(it.operation)
        ]
        if not created:
            return
        draft.put(("resources", name, "id"), form, form, because)
        lifecycle = self._lifecycle(found, states) if states else ""
        if states:
            draft.put(("resources", name, "lifecycle"), lifecycle)
        self._drawn.append(Drawn(found, view, known, states, lifecycle))
        guess, because = "what these fields show", "their names say so"
        draft.put(("resources", name, "view"), view.template, guess, because)
        for it in created:
            answer = answers[it.operation.id]
            self._add_creation(found, it, None if answer == view.first else answer)
        self._add_rest(found, view, known, states)

    def _view(self, found: Found, states: States) -> tuple[View, Known, str, str] | None:
        """The view of *found*, what it shows, and the form of its ids with the reason."""
        value = self._id_example(found)
        example = str(value)
        forms = {form_of(it): "recorded ids have it" for it in self._recorded.ids(found)[:1]}
        if isinstance(value, int):
            forms["{number}"] = "the schema has a number"
        if any(it.isdigit() for it in example):
            forms.setdefault(form_of(example), f"the example is {example!r}")
        forms.setdefault(f"{found.name}_{{base62:16}}", "nothing shows another one")
        forms.setdefault(UUID, "the schema permits no plainer one")
        echoes, requests = requests_of([it.operation for it in found.creates])
        is_priced = any(it.operation.id in self._prices for it in found.creates)
        for form, because in forms.items():
            known = Known(
                found.id_at, found.status_at, sample_of(form), echoes, requests, is_priced
            )
            view = view_of(found.answer, known, states)
            if view is not None:
                return view, known, form, because
        return None

    def _id_example(self, found: Found) -> Json:
        """An id in the answer of the read, else in that of an operation that creates."""
        if found.id_at is not None:
            return found.id_in(found.answer.value)
        answers = (self._answers[it.operation.id] for it in found.creates)
        parameter = found.id_from.partition(".")[2]
        places = (
            (it.value, next(id_places(it.value, parameter, found.name), None))
            for it in answers
            if it is not None
        )
        return next((at(value, place) for value, place in places if place is not None), "")

    def _lifecycle(self, found: Found, states: States) -> str:
        """The name of the lifecycle with *states*, which is added unless there is one."""
        draft, place = self._draft, ("lifecycles", found.name)
        is_timed = any(self._recorded.lasts_ms(found, state) for state, _ in states)
        # An event is that of a lifecycle: resources with events of their own do not share one.
        is_own = is_timed or bool(self._events)
        same = [name for name, it in self._lifecycles.items() if it == states and not is_own]
        if same:
            return same[0]
        self._lifecycles[found.name] = states
        draft.put((*place, "states"), {}, "these states", found.states_because)
        for state, kind in states:
            rule: dict[str, Json] = {"kind": kind.value}
            because = "of its name" if kind_of_state(state) else "its name says nothing else"
            if kind in _LASTS_MS:
                lasts_ms = self._recorded.lasts_ms(found, state)
                rule["lasts_ms"] = lasts_ms or _LASTS_MS[kind]
                because += "; its duration because "
                because += "recorded jobs took it" if lasts_ms else "nothing says another one"
            draft.put((*place, "states", state), rule, kind.value, because)
        draft.put((*place, "edges"), edges_of(states), "these edges", "jobs pass through the kinds")
        failure = self._recorded.failure(found)
        if failure:
            draft.put((*place, "failure"), failure, "this reason", "a recorded job failed with it")
        return found.name

    def _add_creation(self, found: Found, link: Link, answer: Json) -> None:
        draft, id_ = self._draft, link.operation.id
        price, place = self._prices.get(id_), ("operations", id_)
        rule: dict[str, Json] = {"effect": "billable" if price else "write"}
        rule |= {"does": "create", "starts": found.name}
        parent = self._parent(link.operation)
        if parent is not None:
            rule["acts_on"] = [{"resource": parent.name, "id": parent.id_from}]
        draft.put(place, rule, f"it creates {_one(found.name)}", link.because)
        if answer is not None:
            draft.put((*place, "answer"), answer)
        if price is not None:
            charged = {"amount": price.amount, "moment": "acceptance"}
            draft.put((*place, "price"), charged, f"{price.amount} credits", price.because)

    def _parent(self, operation: Operation) -> Found | None:
        """The resource that the path of *operation* names, if its answers could be drafted."""
        known = (it.found for it in self._drawn)
        return next((it for it in known if operation.path.startswith(f"{it.read.path}/")), None)

    def _has_parent(self, operation: Operation) -> bool:
        """Whether what the path of *operation* names is known, if it names anything."""
        if "{" not in operation.path or self._parent(operation) is not None:
            return True
        self._draft.unknown.append(f"what {operation.id} creates: its path names what is not known")
        return False

    def _add_rest(self, found: Found, view: View, known: Known, states: States) -> None:
        draft, name = self._draft, found.name
        target = [{"resource": name, "id": found.id_from}]
        read: dict[str, Json] = {"effect": "read", "does": "read", "acts_on": target}
        if view.answer is not None:
            read["answer"] = view.answer
        draft.put(("operations", found.read.id), read)
        for link in found.lists:
            listed = list_of(link.operation, self._answers[link.operation.id], view, known)
            if listed is None:
                draft.unknown.append(f"how {link.operation.id} lists each {name}")
                continue
            rule: dict[str, Json] = {"effect": "read", "does": "list", "starts": name}
            if listed.page is not None:
                rule["page"] = listed.page
            rule["answer"] = listed.answer
            place = ("operations", link.operation.id)
            draft.put(place, rule, f"it lists each {name}", link.because)
        for link in found.deletes:
            self._add_deletion(found, link, known)
        for link in found.cancels:
            self._add_cancellation(found, link, known, states)

    def _add_deletion(self, found: Found, link: Link, known: Known) -> None:
        draft, operation = self._draft, link.operation
        target = [{"resource": found.name, "id": found.id_from}]
        rule: dict[str, Json] = {"effect": "destructive", "does": "delete", "acts_on": target}
        answer = self._answers[operation.id]
        if answer is not None:
            rule["answer"] = creation_answer(answer, found, known, ()) or answer.value
        guess = f"it deletes {_one(found.name)}"
        draft.put(("operations", operation.id), rule, guess, link.because)

    def _add_cancellation(self, found: Found, link: Link, known: Known, states: States) -> None:
        draft, operation = self._draft, link.operation
        closed = [it for it in states if it[1] is Kind.CLOSED]
        answer = self._answers[operation.id]
        if not closed or (answer is None and operation.success_status != _NO_CONTENT):
            draft.unknown.append(f"what {operation.id} does to {_one(found.name)}")
            return
        target = [{"resource": found.name, "id": found.id_from}]
        rule: dict[str, Json] = {"effect": "write", "does": "cancel", "acts_on": target}
        if answer is not None:
            rule["answer"] = creation_answer(answer, found, known, closed) or answer.value
        guess = f"it ends {_one(found.name)} as {closed[0][0]}"
        draft.put(("operations", operation.id), rule, guess, link.because)

    def _ask(self) -> None:
        """Add the questions that a behaviour file has fields for, and nothing answers."""
        draft, operations = self._draft, self._operations.values()
        if not any(it.security for it in operations):
            draft.unknown.append("which credential calls take (the OpenAPI file has no security)")
        if any("429" in it.replies for it in operations) and "rate_windows" not in draft.rules:
            draft.unknown.append("how many calls a minute are allowed (429 is documented)")
        named = draft.rules.get("operations", {})
        rest = [it.id for it in operations if it.id not in named]
        if rest:
            more = len(rest) - _LISTED_MAX
            listed = ", ".join(rest[:_LISTED_MAX]) + (f" and {more} more" if more > 0 else "")
            draft.unknown.append(f"what else changes with time; these answer examples: {listed}")


def _one(name: str) -> str:
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"


def _ordered(states: Sequence[str]) -> States:
    """*states* with their kinds, as a job passes through them; one success and one failure."""
    found: list[tuple[str, Kind]] = []
    for state in states:
        kind = kind_of_state(state) or Kind.RUNNING
        is_end = kind in {Kind.SUCCEEDED, Kind.FAILED}
        if is_end and any(it is kind for _, it in found):
            kind = Kind.CLOSED
        found.append((state, kind))
    return sorted(found, key=lambda it: KIND_ORDER.index(it[1]))
