"""Where in a YAML file a key and its value stand, so that their lines can be exchanged. Pure."""

from dataclasses import dataclass
from typing import Any

import yaml

from vfiod.config.yaml_nodes import Value


@dataclass(frozen=True, slots=True)
class Section:
    """The whole lines of a key and its value: ``text[start:end]``; the key is at ``column``."""

    key: Value
    value: Value
    start: int
    end: int
    column: int


def named(mapping: Value, name: str) -> Section | None:
    """The section of a key of the mapping; None if it has no such key."""
    for key, value in mapping.entries():
        if key.node.value == name:
            text, mark = key.text_of_file, key.node.start_mark
            start = text.rfind("\n", 0, mark.index) + 1
            return Section(key, value, start, end_of(text, value.node), mark.column)
    return None


def end_of(text: str, node: Any) -> int:
    """Where the line ends that holds the last piece of a node.

    PyYAML's own end of a block lies behind the comments below it, which are not the node's.
    """
    while isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last: Any = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    end: int = node.end_mark.index
    return end if text[end - 1 : end] == "\n" else line_end(text, end)


def line_end(text: str, index: int) -> int:
    """Where the next line begins."""
    return text.find("\n", index) + 1 or len(text)


def ended(text: str) -> str:
    """The text with its last line ended."""
    return text if not text or text.endswith("\n") else text + "\n"


def flows(value: Value) -> bool:
    """True for what stands in braces or brackets, or is no collection at all."""
    return not isinstance(value.node, yaml.CollectionNode) or bool(value.node.flow_style)
