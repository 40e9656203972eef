"""A lifecycle as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from ..behaviour.lifecycles import Kind, Lifecycle, State


def lifecycle_lines(lifecycle: Lifecycle) -> Iterator[str]:
    """The path of a job with its durations, then each further end with the states before it."""
    path = lifecycle.path
    ends = [it for it in lifecycle.states.values() if it.kind.is_final]
    success = next((it for it in ends if it.kind is Kind.SUCCEEDED), None)
    main = [*map(_timed, path), *([success.name] if success is not None else [])]
    yield " → ".join(main)
    for end in ends:
        before = [name for name, following in lifecycle.edges.items() if end.name in following]
        if end is not success and before:
            yield f"{' | '.join(before)} → {end.name} ({end.kind.value})"
    resting = [it.name for it in lifecycle.states.values() if it.kind is Kind.RESTING]
    if resting:
        yield f"not reached by itself: {', '.join(resting)}"


def _timed(state: State) -> str:
    if state.lasts_ms is None:
        return state.name
    shortest, longest = (f"{it / 1_000:g}" for it in state.lasts_ms)
    return f"{state.name} ({shortest if shortest == longest else f'{shortest}-{longest}'} s)"
