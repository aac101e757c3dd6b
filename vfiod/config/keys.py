"""Keys of the configuration as fields of dataclasses: a field says how it is read. Pure.

A new key is a field here and its explanation in the shipped file and the manual; that those name
every key, and no other, is for tests to see.
"""

from collections.abc import Callable, Mapping
from dataclasses import field, fields
from typing import Any, TypeVar

from vfiod.config.yaml_nodes import Value

T = TypeVar("T")


def key(read: Callable[[Value], Any], *, default: Any, name: str = "") -> Any:
    """A field that is read by itself; ``name`` is the key's where it is not the field's.

    ``read`` gives None for what is wrong, and has reported it: the default stands in its place.
    """
    return field(default=default, metadata={"read": read, "name": name})


def names(section: Any) -> tuple[str, ...]:
    """The keys of a section."""
    return tuple(f.metadata.get("name") or f.name for f in fields(section))


def from_keys(section: type[T], given: Mapping[str, Value], **others: Any) -> T:
    """A section of what was given; ``others`` stand where nothing was."""
    found: dict[str, Any] = {}
    for f in fields(section):  # type: ignore[arg-type]
        name = f.metadata.get("name") or f.name
        if "read" in f.metadata and name in given:
            found[f.name] = f.metadata["read"](given[name])
    return section(**others | {name: v for name, v in found.items() if v is not None})
