"""Read an OpenAPI file and the files that it refers to, as one document.

A `$ref` is followed inside the folder of the file alone. Nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

from msgspec import Struct

from ..errors import ContractError
from ..files import placed, read_openapi_text
from ..json_types import Json
from .grammar import SECTIONS, escaped, parts_of

#: A chain longer than this is a loop.
_CHAIN_MAX = 20
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")


class Node(Struct, frozen=True):
    """An object of an OpenAPI document, and its place in the file that it comes from.

    An *is_root* schema is not part of another one.
    """

    kind: str
    value: Json
    path: Path
    pointer: str
    is_root: bool = False


class Bundle:
    """One document out of an OpenAPI file at *path* and the files it refers to.

    Objects of other files become components. *nodes* are all objects of the document. A *document*
    takes the place of the content of the file, and is changed.

    Raises:
        ContractError: a file cannot be read, or the first one is not a mapping.
    """

    def __init__(self, path: Path, document: Json = None) -> None:
        self.path = path
        self.nodes: list[Node] = []
        self._folder = path.parent.resolve()
        self._files: dict[Path, Json] = {}
        self._problems: dict[Path, dict[str, str]] = {}
        #: Problems with files that could not be read have their place already.
        self._unread: list[str] = []
        self._names: dict[tuple[str, Path, str], str] = {}
        self._origins: dict[str, tuple[Path, str]] = {}
        self._todo: list[Node] = []
        self.document = read_openapi_text(path) if document is None else document
        self._files[path] = self.document
        if not isinstance(self.document, dict):
            raise ContractError(f'{path}:1: the document is not of type "object"')
        self._follow_all()

    def report(self, node: Node, detail: str, below: str = "") -> None:
        """Note a problem with *node*, or with a value *below* it."""
        place = f"{node.pointer}/{below}" if below else node.pointer
        self._problems.setdefault(node.path, {}).setdefault(place, detail)

    def report_at(self, pointer: Sequence[str], detail: str) -> None:
        """Note a problem at *pointer* of the whole document."""
        steps = [escaped(it) for it in pointer]
        for end in range(len(steps), 0, -1):
            origin = self._origins.get("/".join(steps[:end]))
            if origin is not None:
                path, above = origin
                place = "/".join([above, *steps[end:]])
                break
        else:
            path, place = self.path, "".join(f"/{it}" for it in steps)
        self._problems.setdefault(path, {}).setdefault(place, detail)

    @property
    def problems(self) -> list[str]:
        """Every noted problem with its file and line."""
        return self._unread + [
            line for path, found in self._problems.items() for line in placed(path, found)
        ]

    def target(self, reference: str) -> Json:
        """What a reference inside the bundled document points at."""
        value = self.document
        for _ in range(_CHAIN_MAX):
            value = look_up(self.document, unquote(reference[1:]))
            if not (isinstance(value, dict) and isinstance(value.get("$ref"), str)):
                return value
            reference = value["$ref"]
        raise LookupError(reference)

    def _follow_all(self) -> None:
        seen: set[int] = set()
        self._todo.append(Node("document", self.document, self.path, ""))
        while self._todo:
            node = self._todo.pop()
            if not isinstance(node.value, dict) or id(node.value) in seen:
                continue
            seen.add(id(node.value))
            self.nodes.append(node)
            reference = node.value.get("$ref")
            if reference is not None and node.kind in SECTIONS:
                self._follow(node, reference)
                if node.kind != "schema":
                    continue
            self._todo.extend(_nodes_below(node))
        self._check_chains()

    def _follow(self, node: Node, reference: Json) -> None:
        if not isinstance(reference, str):
            self.report(node, "expected a text as $ref", "$ref")
            return
        address, _, fragment = reference.partition("#")
        found = self._file(address, node)
        if isinstance(found, str):
            self.report(node, f"the $ref {reference!r} {found}", "$ref")
            return
        if fragment and not fragment.startswith("/"):
            self.report(node, f"the $ref {reference!r} names an anchor; write #/…", "$ref")
            return
        pointer = unquote(fragment)
        try:
            target = look_up(self._files[found], pointer)
        except LookupError:
            self.report(node, f"the $ref {reference!r} points at nothing", "$ref")
            return
        if found == self.path:
            node.value["$ref"] = f"#{fragment}"
        else:
            node.value["$ref"] = self._adopted(node.kind, target, found, pointer)
        is_root = node.kind == "schema"
        self._todo.append(Node(node.kind, target, found, pointer, is_root=is_root))

    def _file(self, address: str, node: Node) -> Path | str:
        """The file that *address* names from that of *node*, or why it may not be read."""
        if not address:
            return node.path
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", address):
            return "is a URL, which is not fetched; save the file in this folder and name it"
        path = node.path.parent / unquote(address)
        real = path.resolve()
        if not real.is_relative_to(self._folder):
            is_link = any(it.is_symlink() for it in (path, *path.parents))
            return f"is {'a symbolic link ' if is_link else ''}outside of the folder"
        if real == self.path.resolve():
            return self.path
        if real in self._files:
            return real
        if not real.is_file():
            return "names a file that does not exist"
        try:
            self._files[real] = read_openapi_text(real)
        except ContractError as error:
            self._unread += error.problems
            return "names a file that cannot be read"
        return real

    def _adopted(self, kind: str, target: Json, path: Path, pointer: str) -> str:
        """The reference to *target*, which becomes a component of the document."""
        known = self._names.get((kind, path, pointer))
        if known is not None:
            return known
        section = self.document.setdefault("components", {}).setdefault(SECTIONS[kind], {})
        last = pointer.rpartition("/")[2]
        name = wanted = _NOT_IN_NAMES.sub("_", f"{path.stem}_{last}" if last else path.stem)
        number = 2
        while name in section:
            name, number = f"{wanted}_{number}", number + 1
        section[name] = target
        self._origins[f"components/{SECTIONS[kind]}/{name}"] = path, pointer
        reference = f"#/components/{SECTIONS[kind]}/{name}"
        self._names[(kind, path, pointer)] = reference
        return reference

    def _check_chains(self) -> None:
        for node in self.nodes:
            reference = node.value.get("$ref")
            if node.kind in SECTIONS and isinstance(reference, str) and not self._problems:
                try:
                    self.target(reference)
                except LookupError:
                    self.report(node, f"the $ref {reference!r} leads back to itself", "$ref")


def _nodes_below(node: Node) -> Iterator[Node]:
    for below, kind, part in parts_of(node.kind, node.value):
        is_root = kind == "schema" and node.kind != "schema"
        yield Node(kind, part, node.path, f"{node.pointer}/{below}", is_root)


def look_up(value: Json, pointer: str) -> Json:
    """The value at a JSON *pointer*.

    Raises:
        LookupError: there is none.
    """
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list):
            if not name.isdecimal():
                raise LookupError(pointer)
            value = value[int(name)]
        elif isinstance(value, dict):
            value = value[name]
        else:
            raise LookupError(pointer)
    return value
