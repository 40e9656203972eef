"""Find the operation for a method and a path, in a time that does not grow with their number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from .operations import Operation

_PLACE = re.compile(r"\{([^{}]*)\}")


class Match(Struct, frozen=True):
    """The operation that a request asks for, with the values of its path parameters."""

    operation: Operation
    path: Mapping[str, str]


class _Node:
    """What may follow after some segments of a path.

    *literals* are segments without a parameter. *patterns* are those with one, as the texts around
    the parameters; the most exact one is first. *methods* are the operations of a path that ends
    here.
    """

    __slots__ = ("literals", "methods", "patterns")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.patterns: list[tuple[tuple[str, ...], _Node]] = []
        self.methods: dict[str, Operation] = {}


class Routes:
    """Finds operations by method and path. A segment without a parameter goes before one with."""

    __slots__ = ("_exact", "_root", "paths")

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._exact: dict[str, dict[str, Operation]] = {}
        self._root = _Node()
        self.paths = sorted({operation.path for operation in operations})
        for operation in operations:
            if "{" in operation.path:
                self._add(operation)
            else:
                self._exact.setdefault(operation.path, {})[operation.method] = operation

    def find(self, method: str, path: str) -> Match | None:
        """The operation for *method* on *path*; HEAD falls back to GET."""
        for methods, values in self._at(path):
            operation = methods.get(method)
            if operation is None and method == "HEAD":
                operation = methods.get("GET")
            if operation is not None:
                names = _PLACE.findall(operation.path)
                return Match(operation, dict(zip(names, values, strict=True)))
        return None

    def methods(self, path: str) -> list[str]:
        """The documented methods of *path*; empty when the path is unknown."""
        return sorted({method for methods, _ in self._at(path) for method in methods})

    def known(self, path: str) -> str | None:
        """The documented form of *path*, with names instead of ids; None for an unknown path."""
        for methods, _ in self._at(path):
            return next(iter(methods.values())).path
        return None

    def _add(self, operation: Operation) -> None:
        node = self._root
        for segment in operation.path.split("/"):
            if "{" not in segment:
                node = node.literals.setdefault(segment, _Node())
                continue
            around = tuple(_PLACE.sub("{}", segment).split("{}"))
            known = next((it for other, it in node.patterns if other == around), None)
            if known is None:
                known = _Node()
                node.patterns.append((around, known))
                node.patterns.sort(key=lambda it: len("".join(it[0])), reverse=True)
            node = known
        node.methods[operation.method] = operation

    def _at(self, path: str) -> Iterator[tuple[Mapping[str, Operation], Sequence[str]]]:
        """The operations of every documented path that *path* is, the most exact one first."""
        exact = self._exact.get(path)
        if exact is not None:
            # A path without parameters is that path alone, whatever its methods.
            yield exact, ()
        else:
            yield from _below(self._root, path.split("/"), 0, ())


def _below(
    node: _Node, segments: Sequence[str], index: int, values: tuple[str, ...]
) -> Iterator[tuple[Mapping[str, Operation], Sequence[str]]]:
    for at in range(index, len(segments)):
        segment = segments[at]
        literal, patterns = node.literals.get(segment), node.patterns if segment else []
        if len(patterns) + (literal is not None) > 1:
            # Several ways. A single one, which most segments have, is gone without a call.
            if literal is not None:
                yield from _below(literal, segments, at + 1, values)
            for around, inner in patterns:
                found = _values(around, segment)
                if found is not None:
                    yield from _below(inner, segments, at + 1, values + found)
            return
        if literal is not None:
            node = literal
            continue
        found = _values(patterns[0][0], segment) if patterns else None
        if found is None:
            return
        node, values = patterns[0][1], values + found
    if node.methods:
        yield node.methods, values


def _values(around: tuple[str, ...], segment: str) -> tuple[str, ...] | None:
    """The parameters of *segment*, each as short as possible; None if it has another form.

    A regular expression with several parameters would take a time that grows with a power of the
    length.
    """
    if around == ("", ""):
        return (segment,)
    first, *between, last = around
    if not (segment.startswith(first) and segment.endswith(last)):
        return None
    start, end, found = len(first), len(segment) - len(last), list[str]()
    for text in between:
        at = segment.find(text, start + 1, end)
        if at < 0:
            return None
        found.append(segment[start:at])
        start = at + len(text)
    return (*found, segment[start:end]) if start < end else None
