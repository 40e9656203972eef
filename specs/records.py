"""Dataclasses that are ready at once: the same to whoever uses them, at a tenth of the price.

`@dataclass(frozen=True, slots=True)` writes six functions for each class and compiles them while
the module is loaded. For the classes that a first test needs, that took as long as everything else
together. Here `__init__` is compiled when the first object is made, the other functions are the
same for all classes, and `dataclasses` is asked for its fields when somebody wants `replace`.

Not for inheritance of fields, `__post_init__`, or fields that `__init__` does not take: such a
class is a dataclass, or written out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, replace
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform, overload

Json = Any
_Class = TypeVar("_Class", bound=type)
_Init = Callable[..., None]

#: Stands for a value that is made when none is given.
_NOT_GIVEN = object()


@overload
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: _Class, /) -> _Class: ...
@overload
def record(*, frozen: bool) -> Callable[[_Class], _Class]: ...
def record(cls: type | None = None, /, *, frozen: bool = True) -> Any:
    """*cls* with slots, and with all that `dataclass` gives a class; mutable if not *frozen*."""
    if cls is None:
        return lambda it: _remade(it, frozen=frozen)
    return _remade(cls, frozen=frozen)


def fields_of(one: Any) -> dict[str, Json]:
    """The values of a record by their fields' names, in order."""
    return {name: getattr(one, name) for name in one.__match_args__}


def _remade(cls: type, *, frozen: bool) -> type:
    # A class gets slots while it is made, or never; `dataclass` makes it again for them too.
    names = tuple(cls.__annotations__)
    body = {name: value for name, value in vars(cls).items() if name not in _OF_A_DICT}
    defaults = {name: body.pop(name) for name in names if name in body}
    return type(cls)(
        cls.__name__,
        cls.__bases__,
        {
            **(_FROZEN if frozen else _MUTABLE),
            **body,
            "__qualname__": cls.__qualname__,
            "__slots__": names,
            "__match_args__": names,
            "__init__": _first_init(cls, defaults, frozen=frozen),
            "__dataclass_fields__": _Fields(cls),
            "_values_of": attrgetter(*names),
        },
    )


# What is made when it is first needed


def _first_init(cls: type, defaults: Mapping[str, Json], *, frozen: bool) -> _Init:
    """An `__init__` that is called once: it leaves its place to the compiled one."""

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        type(self).__init__ = _compiled_init(cls, defaults, frozen=frozen)
        self.__init__(*args, **kwargs)

    return init


def _compiled_init(cls: type, defaults: Mapping[str, Json], *, frozen: bool) -> _Init:
    scope: dict[str, Json] = {"_put": object.__setattr__, "_not_given": _NOT_GIVEN}
    parameters, lines = ["self"], []
    for name in cls.__annotations__:
        default, parameter, value = defaults.get(name, MISSING), name, name
        if isinstance(default, Field):
            scope[f"_new_{name}"] = default.default_factory
            parameter = f"{name}=_not_given"
            value = f"_new_{name}() if {name} is _not_given else {name}"
        elif default is not MISSING:
            scope[f"_default_{name}"] = default
            parameter = f"{name}=_default_{name}"
        parameters.append(parameter)
        lines.append(f" _put(self, {name!r}, {value})" if frozen else f" self.{name} = {value}")
    exec("\n".join((f"def __init__({', '.join(parameters)}):", *lines)), scope)
    init: _Init = scope["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


class _Fields:
    """Stands for `__dataclass_fields__`, where `dataclasses` looks, until it does."""

    def __init__(self, cls: type) -> None:
        self._cls = cls

    def __get__(self, instance: object, owner: Any) -> Json:
        described: Any = dataclass(init=False, repr=False, eq=False)(self._cls)
        owner.__dataclass_fields__ = described.__dataclass_fields__
        return owner.__dataclass_fields__


# What all records have


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return self._values_of(self) == self._values_of(other)


def _hash(self: Any) -> int:
    return hash(self._values_of(self))


def _repr(self: Any) -> str:
    told = ", ".join(f"{name}={value!r}" for name, value in fields_of(self).items())
    return f"{self.__class__.__qualname__}({told})"


def _reduce(self: Any) -> tuple[type, tuple[Any, ...]]:
    return self.__class__, tuple(fields_of(self).values())


def _setattr(self: object, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(self: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


_OF_A_DICT = {"__dict__", "__weakref__"}
_MUTABLE = {
    "__eq__": _eq,
    "__hash__": None,
    "__repr__": _repr,
    "__reduce__": _reduce,
    # Python 3.13 asks for it in `copy.replace`.
    "__replace__": replace,
}
_FROZEN = {**_MUTABLE, "__hash__": _hash, "__setattr__": _setattr, "__delattr__": _delattr}
