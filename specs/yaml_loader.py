"""Read YAML as JSON Schema expects it, within limits, in one pass over its events.

Events are flat, so a hostile text is refused before anything of it is built: a loader that builds
nodes first recurses once per level, and a few hundred bytes of aliases grow to gigabytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import yaml
from yaml import YAMLError as YamlError
from yaml.constructor import SafeConstructor
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)
from yaml.nodes import ScalarNode

from .json_types import Json

#: Contracts with hand-written schemas have about twenty levels.
DEPTH_MAX = 64
#: With every alias written out. An OpenAPI file of 3 MB without aliases has a quarter of it.
SIZE_MAX = 100_000_000
# The size of a node without its text.
_NODE_SIZE = 100
#: Contracts have no longer numbers, and many JSON parsers fail on them.
_NUMBER_LENGTH_MAX = 40
# The C loader is ten times faster; PyYAML ships without it where libyaml was missing at build time.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_STR, _MERGE = f"{_TAG}str", f"{_TAG}merge"
#: Dates stay the texts that JSON Schema expects.
_KNOWN = {f"{_TAG}{name}" for name in ("null", "bool", "int", "float")}
_RESOLVERS = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in {*_KNOWN, _MERGE}]
    for first, resolvers in _LOADER.yaml_implicit_resolvers.items()
}
_CONSTRUCTOR = SafeConstructor()
_NO_KEY: Any = object()


class YamlLimitError(ValueError):
    """The text is YAML, but exceeds a limit, which the message names. *line* counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def load_yaml(text: bytes, *, keys_are_text: bool = False) -> Json:
    """The content of *text*; with *keys_are_text* a key such as `200` is the text "200".

    Raises:
        YamlError: it is not YAML, or repeats a key.
        YamlLimitError: it is nested too deep, too large with its aliases written out, or endless.
    """
    builder = _Builder(keys_are_text=keys_are_text)
    for event in yaml.parse(text, Loader=_LOADER):
        builder.take(event)
    return builder.root.value


def line_of(error: YamlError) -> int | None:
    """The line of the mistake, counted from 1."""
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark is not None else None


def lines_of_yaml(text: bytes, pointers: Collection[str]) -> dict[str, int]:
    """The line of each of *pointers* that *text* has, counted from 1."""
    wanted, found = set(pointers), dict[str, int]()
    try:
        for pointer, line in _places(text):
            if pointer in wanted:
                found.setdefault(pointer, line)
    except YamlError:
        return {}
    return found


def _places(text: bytes) -> Iterator[tuple[str, int]]:
    """(pointer, line) of every value of *text*; of a mapping's value it is the line of its key."""
    # One entry for each open collection: its pointer, and the next index or key of it.
    opened: list[tuple[str, int | str | None]] = []
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, CollectionEndEvent):
            opened.pop()
        if not isinstance(event, NodeEvent):
            continue
        pointer, line = "", _line(event)
        if opened:
            around, at = opened[-1]
            if at is None and isinstance(event, ScalarEvent):
                key = event.value.replace("~", "~0").replace("/", "~1")
                opened[-1] = (around, key)
                yield f"{around}/{key}", line
                continue
            pointer = f"{around}/{at}"
            opened[-1] = (around, at + 1 if isinstance(at, int) else None)
        yield pointer, line
        if isinstance(event, MappingStartEvent):
            opened.append((pointer, None))
        elif not isinstance(event, ScalarEvent | AliasEvent):
            opened.append((pointer, 0))


class _Open:
    """A collection that is not complete, or the document itself: its *value* and its size so far.

    *key* is the key of a mapping whose value comes next. *merged* are the mappings behind `<<`.
    """

    __slots__ = ("anchor", "key", "merged", "size", "value")

    def __init__(self, value: Json, anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.key: Json = _NO_KEY
        self.merged: list[Json] = []
        self.size = _NODE_SIZE


class _Builder:
    """Builds the value of a text from its events."""

    def __init__(self, *, keys_are_text: bool) -> None:
        self.root = _Open(None, None)
        self._opened = [self.root]
        self._anchors: dict[str, tuple[Json, int]] = {}
        self._plain: dict[str, tuple[str, Json]] = {}
        self._keys_are_text = keys_are_text
        self._has_document = False

    def take(self, event: Event) -> None:
        """Add what *event* says."""
        if isinstance(event, ScalarEvent):
            self._take_scalar(event)
        elif isinstance(event, AliasEvent):
            value, size = self._aliased(event)
            self._add(value, size, event)
        elif isinstance(event, CollectionEndEvent):
            done = self._opened.pop()
            if done.merged:
                _merge(done, event)
            if done.anchor is not None:
                self._anchors[done.anchor] = done.value, done.size
            self._grow(done.size, event)
        elif isinstance(event, NodeEvent):
            self._open(event)
        elif isinstance(event, DocumentStartEvent):
            if self._has_document:
                raise _wrong("a second document begins", event)
            self._has_document = True

    def _open(self, event: Json) -> None:
        is_mapping = isinstance(event, MappingStartEvent)
        if event.tag not in {None, "!", f"{_TAG}{'map' if is_mapping else 'seq'}"}:
            raise _wrong(f"the tag {event.tag!r} is unknown", event)
        value: Json = {} if is_mapping else []
        self._add(value, 0, event)
        self._opened.append(_Open(value, event.anchor))
        if len(self._opened) - 1 > DEPTH_MAX:
            raise YamlLimitError(f"nested more than {DEPTH_MAX} levels deep", _line(event))

    def _take_scalar(self, event: ScalarEvent) -> None:
        text, around = event.value, self._opened[-1]
        tag, value = _STR, text
        if event.tag is not None and event.tag != "!":
            tag, value = _tagged(event.tag, text, event)
        elif event.implicit[0] and text[:1] in _RESOLVERS:
            known = self._plain.get(text)
            if known is None:
                known = self._plain[text] = _resolved(text, event)
            tag, value = known
        if isinstance(around.value, dict) and around.key is _NO_KEY:
            if tag == _MERGE:
                value = _MERGE
            elif self._keys_are_text:
                value = text
        size = _NODE_SIZE + len(text)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, size
        self._add(value, size, event)

    def _aliased(self, event: AliasEvent) -> tuple[Json, int]:
        name = event.anchor or ""
        if any(it.anchor == name for it in self._opened):
            detail = f"endless: alias {name!r} is inside its own anchor"
            raise YamlLimitError(detail, _line(event))
        if name not in self._anchors:
            raise _wrong(f"the alias {name!r} has no anchor", event)
        return self._anchors[name]

    def _add(self, value: Json, size: int, event: Event) -> None:
        """Put *value* into the innermost open collection: as an element, a key, or its value."""
        around = self._opened[-1]
        target = around.value
        if isinstance(target, dict):
            if around.key is _NO_KEY:
                if isinstance(value, dict | list):
                    raise _wrong("a key is a collection", event)
                if value in target:
                    raise _wrong(f"the key {value!r} is repeated", event)
                around.key = value
            elif around.key is _MERGE:
                around.merged += value if isinstance(value, list) else [value]
                around.key = _NO_KEY
            else:
                target[around.key] = value
                around.key = _NO_KEY
        elif isinstance(target, list):
            target.append(value)
        else:
            around.value = value
        if size:
            self._grow(size, event)

    def _grow(self, size: int, event: Event) -> None:
        around = self._opened[-1]
        around.size += size
        if around.size > SIZE_MAX:
            detail = f"more than {SIZE_MAX} characters with its aliases written out"
            raise YamlLimitError(detail, _line(event))


def _merge(done: _Open, event: Event) -> None:
    """Add the mappings that `<<` names; the mapping's own keys come first."""
    own = dict(done.value)
    done.value.clear()
    for it in reversed(done.merged):
        if not isinstance(it, dict):
            raise _wrong("<< names something other than a mapping", event)
        done.value.update(it)
    done.value.update(own)


def _resolved(text: str, event: ScalarEvent) -> tuple[str, Json]:
    """The tag and the value of a plain text."""
    for tag, pattern in _RESOLVERS[text[:1]]:
        if pattern.match(text):
            return tag, text if tag == _MERGE else _constructed(tag, text, event)
    return _STR, text


def _tagged(tag: str, text: str, event: ScalarEvent) -> tuple[str, Json]:
    if tag == _STR:
        return tag, text
    if tag not in _KNOWN:
        raise _wrong(f"the tag {tag!r} is unknown", event)
    return tag, _constructed(tag, text, event)


def _constructed(tag: str, text: str, event: ScalarEvent) -> Json:
    if tag.endswith(("int", "float")) and len(text) > _NUMBER_LENGTH_MAX:
        raise _wrong(f"a number of {len(text)} characters", event)
    construct = SafeConstructor.yaml_constructors[tag]
    try:
        value = construct(_CONSTRUCTOR, ScalarNode(tag, text))
    except (KeyError, ValueError):
        raise _wrong(f"{text!r} is not of the type {tag.removeprefix(_TAG)}", event) from None
    if isinstance(value, float) and value - value != 0:
        raise _wrong(f"{text!r} is a number that JSON does not have", event)
    return value


def _wrong(problem: str, event: Event) -> YamlError:
    mark: Any = event.start_mark  # the C loader has marks of its own
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def _line(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 1


__all__ = ["YamlError", "YamlLimitError", "line_of", "lines_of_yaml", "load_yaml"]
