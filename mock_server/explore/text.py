"""An exploration as text: the table, its legend, and a story for each kind of broken run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from screentest.specs.json_types import Json

from ..kernel.clock import parse_rfc3339
from ..reports.cost_report import cost_text
from .exploration import Exploration, Result
from .observation import Observed
from .places import decoded, state_words
from .verdicts import Verdict

_WIDTH_MAX = 100
#: Steps of a story; a loop is one step.
_STEPS_MAX = 8
_DETAIL_MAX = 160
#: Breaks after which a program has done its work, or not, and does not know it.
_WITHOUT_ANSWER = frozenset(
    {
        "lost",
        "half",
        "500-done",
        "503-done",
        "silent",
        "slow",
        "json",
        "killed",
        "cut",
        "500",
        "503",
    }
)

#: The codes of the findings about a verdict, the most common one first.
_CODES = {
    Verdict.PAID_TWICE: ("SC210", "SC207", "SC211", "SC218"),
    Verdict.NO_RESULT: ("SC212", "SC213", "SC219"),
    Verdict.ENDLESS: ("SC214",),
    Verdict.TOO_EARLY: ("SC215",),
    Verdict.PAID_AFTER_REFUSAL: ("SC205",),
    Verdict.SECRET_IN_URL: ("SC104",),
}


class Step(Struct, frozen=True):
    """One request of a story, or *times* equal ones. *at_s* is world time since the start."""

    at_s: float
    call: str
    outcome: str
    times: int = 1


class Story(Struct, frozen=True):
    """What went wrong in one run. *others* are cells that broke in the same way."""

    verdict: Verdict
    result: Result
    steps: Sequence[Step]
    ending: str
    code: str
    fix: str
    command: str
    others: Sequence[str]


def table(exploration: Exploration) -> tuple[list[str], list[tuple[str, dict[str, Result]]]]:
    """The names of the breaks, and for each place its results by break."""
    columns: dict[str, None] = {}
    rows: dict[str, dict[str, Result]] = {}
    for it in exploration.results:
        *above, (place, last) = it.cell.parts
        label = "+".join([*(f"{before.name}:{way.name}" for before, way in above), place.name])
        rows.setdefault(label, {})[last.name] = it
        columns.setdefault(last.name)
    return list(columns), list(rows.items())


def stories(exploration: Exploration) -> list[Story]:
    """For each verdict and kind of break the shortest run that shows it."""
    kinds: dict[tuple[Verdict, str], list[Result]] = {}
    for it in exploration.bad:
        for verdict in it.verdicts:
            last = it.cell.breaks[-1]
            kind = "" if last in _WITHOUT_ANSWER else last
            kinds.setdefault((verdict, kind), []).append(it)
    found: list[Story] = []
    for (verdict, _), results in kinds.items():
        shortest, *others = sorted(results, key=lambda it: len(it.run.lines))
        names = [it.cell.name for it in others]
        found.append(_story(exploration, verdict, shortest, names))
    order = list(Verdict)
    return sorted(found, key=lambda it: order.index(it.verdict))


def _story(
    exploration: Exploration, verdict: Verdict, result: Result, others: Sequence[str]
) -> Story:
    run, plain, name = result.run, exploration.plain, result.cell.name
    codes = _CODES[verdict]
    # A finding about the undisturbed run says nothing about the break.
    about = [it for it in run.findings if it["code"] in set(codes) - plain.codes]
    return Story(
        verdict,
        result,
        tuple(_steps(result)),
        _ending(run, plain),
        # A program can end as if all was well without a payment, which no code is about.
        about[0]["code"] if about else codes[0] if verdict is not Verdict.NO_RESULT else "",
        about[0]["fix"] if about else "",
        exploration.command.replace("{cell}", name),
        others,
    )


def _ending(run: Observed, plain: Observed) -> str:
    ways = {"ok": "without an error", "failed": "with", "stopped": "only at a bound of this run:"}
    detail = " ".join(run.ending.detail.split())[:_DETAIL_MAX]
    cost = f"it spent {cost_text(run.spent)}, the undisturbed run {cost_text(plain.spent)}"
    return f"the program ended {ways[run.ending.kind]} {detail}".rstrip() + f"; {cost}"


def _steps(result: Result) -> Iterator[Step]:
    """The requests of a run from its first break on; equal ones that follow each other are one."""
    place, run = result.cell.place, result.run
    begin = 0 if place.is_webhook else place.position_in(run.lines)
    start_ms = parse_rfc3339(run.lines[0]["at"]) if run.lines else 0
    words = state_words(place.contract)
    last: Step | None = None
    for line in run.lines[begin:]:
        request = line["request"]
        at_s = (parse_rfc3339(line["at"]) - start_ms) / 1_000
        call = f"{request['method']} {line['operation'] or request['path']}"
        step = Step(at_s, call, _outcome(line, words))
        if last is not None and (last.call, last.outcome) == (step.call, step.outcome):
            last = Step(last.at_s, last.call, last.outcome, last.times + 1)
            continue
        if last is not None:
            yield last
        last = step
    if last is not None:
        yield last


def _outcome(line: Mapping[str, Json], words: Mapping[str, bool]) -> str:
    """What the client was answered: `200 queued`, `no answer`, `503 (fault)`."""
    answer = line["response"]
    sent = answer.get("sent")
    faults = ", ".join(it["type"] for it in line.get("faults", ()))
    if sent == "nothing":
        is_done = line["faults"][0]["type"] != "latency" and answer["status"] < 300
        return f"no answer{', the work is done' if is_done else ''} ({faults})"
    body = decoded(line)
    states = [it for it in _strings(body) if it in words] if body is not None else []
    shown = " ".join([str(answer["status"]), *dict.fromkeys(states)])
    return f"{shown} ({faults})" if faults else shown


def _strings(body: Json) -> Iterator[str]:
    if isinstance(body, dict):
        for value in body.values():
            yield from _strings(value)
    elif isinstance(body, str):
        yield body


def summary(exploration: Exploration) -> str:
    """The result in one line."""
    tried, bad = len(exploration.results), len(exploration.bad)
    known = sum(it.is_bad and it.is_known for it in exploration.results)
    parts = [f"{tried} run{'' if tried == 1 else 's'}", f"{bad} broken"]
    parts += [f"{known} known"] * bool(known)
    parts += [f"{exploration.left_out} left out"] * bool(exploration.left_out)
    return ", ".join(parts)


def text_report(exploration: Exploration) -> Iterator[str]:
    """The lines of the report."""
    columns, rows = table(exploration)
    label_width = max((len(label) for label, _ in rows), default=0)
    for block in _blocks(columns, _WIDTH_MAX - label_width):
        shown = [(label, cells) for label, cells in rows if cells.keys() & set(block)]
        yield " " * label_width + "".join(f"  {name:>3}" for name in block)
        for label, cells in shown:
            marks = "".join(f"  {_mark(cells.get(it)):>{max(3, len(it))}}" for it in block)
            yield f"{label:<{label_width}}{marks}".rstrip()
        yield ""
    met = {it for result in exploration.results for it in result.verdicts}
    yield from (f"{it.mark}  {it.summary}" for it in Verdict if it in met)
    for it in stories(exploration):
        yield ""
        yield from _story_lines(it)
    yield ""
    yield summary(exploration)


def _blocks(columns: Sequence[str], width: int) -> Iterator[list[str]]:
    """*columns* in groups that fit into *width*."""
    block: list[str] = []
    for name in columns:
        if block and sum(2 + max(3, len(it)) for it in [*block, name]) > width:
            yield block
            block = []
        block.append(name)
    if block:
        yield block


def _mark(result: Result | None) -> str:
    if result is None:
        return ""
    mark = result.verdicts[0].mark
    return f"({mark})" if result.is_known else mark


def _story_lines(story: Story) -> Iterator[str]:
    cell = story.result.cell
    yield f"{story.verdict.mark}  {cell.summary}: {story.verdict.summary}"
    for step in story.steps[:_STEPS_MAX]:
        times = f" ×{step.times}" if step.times > 1 else ""
        yield f"   {step.at_s:>8.1f} s  {step.call}: {step.outcome}{times}"
    if len(story.steps) > _STEPS_MAX:
        yield f"              … {len(story.steps) - _STEPS_MAX} more"
    yield f"   {story.ending}"
    if story.fix:
        yield f"   fix: {story.fix}"
    if story.code:
        yield f"   why: screentest explain {story.code}"
    if story.others:
        yield f"   the same: {', '.join(story.others)}"
    yield f"   again: {story.command}"
