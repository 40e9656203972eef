"""Read YAML as JSON Schema expects it, with the C loader if it is installed."""

from __future__ import annotations

import yaml
from yaml import YAMLError as YamlError

from .json_types import Json
from .yaml_limits import YamlLimitError, check_events

#: Contracts have no longer numbers, and many JSON parsers fail on them.
_NUMBER_LENGTH_MAX = 40
# The C loader is ten times faster; PyYAML ships without it where libyaml was missing at build time.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_LOADER):  # type: ignore[valid-type,misc]  # chosen at run time, both are SafeLoader
    """Keeps dates as the strings that JSON Schema expects."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _LOADER.yaml_implicit_resolvers.items()
}


def _whole_number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    if len(node.value) > _NUMBER_LENGTH_MAX:
        raise YamlError(f"a number of {len(node.value)} characters")
    return int(loader.construct_yaml_int(node))


_Loader.add_constructor("tag:yaml.org,2002:int", _whole_number)


def load_yaml(text: bytes) -> Json:
    """The content of *text*.

    Raises:
        YamlError: it is not YAML.
        YamlLimitError: it is more than may be built.
    """
    check_events(yaml.parse(text, Loader=_Loader))
    try:
        return yaml.load(text, Loader=_Loader)
    except ValueError as error:  # an instant that only looks like one
        raise YamlError(error) from None


__all__ = ["YamlError", "YamlLimitError", "load_yaml"]
