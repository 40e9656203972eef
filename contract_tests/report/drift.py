"""What changed between two runs at one server: by their profiles, or by their NDJSON reports."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from screentest.specs.contracts.profile import Profile, Span, read_profile
from screentest.specs.json_types import Json

from ..rules.judge import RuleVerdict

_REPORT, _PROFILE = '{"type": "run"', '"profile"'
_HEAD_BYTES = 200
_NOT_JUDGED = RuleVerdict.NOT_JUDGED.value


def is_of_run(path: Path) -> bool:
    """Whether the file at *path* was written by a run: a profile, or an NDJSON report."""
    return _kind(path) != ""


def _kind(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES).decode("utf-8", "replace").lstrip()
    if head.startswith(_REPORT):
        return _REPORT
    return _PROFILE if head.startswith("{") and _PROFILE in head else ""


def drift(one: Path, other: Path, provider: str, *, tolerance: float) -> list[str]:
    """The changes from run *one* to run *other*, each as a line.

    The median duration of a state may change by the part *tolerance*, and by what polls cannot
    show.

    Raises:
        ValueError: the files are of two kinds, of another provider, or invalid.
    """
    if _kind(one) != _kind(other):
        raise ValueError(f"{one} and {other} are not of the same kind")
    if _kind(one) == _REPORT:
        return list(_of_reports(_read_report(one, provider), _read_report(other, provider)))
    before, after = (_checked(read_profile(it), provider, it) for it in (one, other))
    return list(_of_profiles(before, after, tolerance))


def _checked(profile: Profile, provider: str, path: Path) -> Profile:
    if profile.provider != provider:
        raise ValueError(f"{path}: this is about {profile.provider}, not {provider}")
    return profile


def _read_report(path: Path, provider: str) -> Mapping[str, str]:
    """The verdict of each rule, and the value of each reading that the server follows."""
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            it = json.loads(line)
            if it["type"] == "run" and it["provider"] != provider:
                raise ValueError(f"{path}: this is about {it['provider']}, not {provider}")
            if it["type"] == "rule":
                found[it["id"]] = it["verdict"]
            elif it["type"] == "reading":
                found[f"reading of {it['name']}"] = it["value"]
        except (json.JSONDecodeError, KeyError, TypeError):
            raise ValueError(f"{path}:{number}: not a line of an NDJSON report") from None
    return found


def _of_reports(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, "absent"), after.get(name, "absent")
        # A rule without a verdict says nothing about the server.
        if old != new and _NOT_JUDGED not in {old, new}:
            yield f"{name}: {old} → {new}"


def _of_profiles(before: Profile, after: Profile, tolerance: float) -> Iterator[str]:
    old_fits, new_fits = _fits(before), _fits(after)
    for name in sorted(old_fits.keys() & new_fits.keys()):
        # Fewer answers decide less, and the server may be the same.
        if not set(old_fits[name]) <= set(new_fits[name]):
            yield f"{name}: {' or '.join(old_fits[name])} → {' or '.join(new_fits[name])}"
    for first, second in sorted(before.refused_first):
        if (second, first) in after.refused_first:
            yield f"refused first: {first} before {second} → {second} before {first}"
    for what in ("extra_fields", "rate_headers"):
        old, new = _leaves(getattr(before, what), what), _leaves(getattr(after, what), what)
        yield from _of_reports(old, new)
    for name, spans in before.durations.items():
        for state, span in spans.items():
            later = after.durations.get(name, {}).get(state)
            if later is not None and _is_other(span, later, tolerance):
                yield f"{name} {state}: lasts {_shown(span)} → {_shown(later)}"


def _fits(profile: Profile) -> Mapping[str, tuple[str, ...]]:
    decided = {name: (value,) for name, value in profile.readings.items()}
    return {**decided, **profile.open_readings}


def _leaves(value: Json, at: str) -> Mapping[str, str]:
    """The texts in *value* by their place; of a header about rates its name alone."""
    if not isinstance(value, Mapping):
        return {at: value if isinstance(value, str) else "present"}
    return {
        place: it for name in value for place, it in _leaves(value[name], f"{at} {name}").items()
    }


def _is_other(before: Span, after: Span, tolerance: float) -> bool:
    unsure_ms = before.within_ms + after.within_ms
    return abs(after.p50_ms - before.p50_ms) > before.p50_ms * tolerance + unsure_ms


def _shown(span: Span) -> str:
    return f"{span.p50_ms / 1_000:g} s (median of {span.jobs})"
