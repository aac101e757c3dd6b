"""A node of a YAML file that knows its path and place, and readers that collect every fault.

Refuses duplicate, unknown and merge keys. Knows none of vfiod's own keys: that is config.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from vfiod.config.yaml_strict import BOOL, FLOAT, NULL, REPORTED, STR, Fault, compose

# What YAML cannot hold unescaped, and what would break a line of a message or of the file.
_UNPRINTABLE = re.compile("[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLAIN = re.compile(r"(?!(?:true|false|null)\Z)[A-Za-z/][A-Za-z0-9/_.@-]*")
_SHOWN = 60


def show(text: str) -> str:
    """Quote a piece of the file for a message: on one line, and not endless."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def is_printable(text: str) -> bool:
    """True if the text has no control characters, line breaks or unpaired surrogates."""
    return _UNPRINTABLE.search(text) is None


@dataclass(frozen=True, slots=True)
class Value:
    """A node of the file. The readers below give None, or nothing, after reporting a fault."""

    path: str
    node: yaml.Node
    text_of_file: str
    faults: list[Fault]

    def fault(self, what: str) -> None:
        """Report ``what`` is wrong with this node and what to write instead."""
        mark = self.node.start_mark
        text = f"{self.path}: {what}" if self.path else what
        self.faults.append(Fault(mark.line + 1, mark.column + 1, text))

    @property
    def raw(self) -> str:
        """The node as it stands in the file, quotes and escapes included."""
        return self.text_of_file[self.node.start_mark.index : self.node.end_mark.index]

    @property
    def is_mapping(self) -> bool:
        """True for ``key: value`` pairs, even none."""
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_literal(self) -> bool:
        """True for plain or quoted text that stands in the file, in one line, as it is read."""
        style = getattr(self.node, "style", None)
        return style in (None, "'", '"') and self.node.value in self.raw

    def text(self, *, expected: str) -> str | None:
        """Read text; ``expected`` says in the fault what to write."""
        return self._scalar(STR, expected=expected)

    def plain(self, *, expected: str) -> str | None:
        """Read text or a number, as it stands in the file."""
        return self._scalar(FLOAT if self.node.tag == FLOAT else STR, expected=expected)

    def number(self, *, expected: str) -> float | None:
        """Read a decimal number, which may be infinite or not a number."""
        found = self._scalar(FLOAT, expected=expected)
        return None if found is None else float(found.replace(".inf", "inf").replace(".nan", "nan"))

    def flag(self) -> bool | None:
        """Read true or false; yes, no, on and off are text."""
        found = self._scalar(BOOL, expected="true or false")
        return None if found is None else found == "true"

    def choice(self, choices: Sequence[str]) -> str | None:
        """Read text that must be one of ``choices``."""
        expected = " or ".join(filter(None, [", ".join(choices[:-1]), choices[-1]]))
        found = self.text(expected=expected)
        if found is None or found in choices:
            return found
        self._mismatch(expected)
        return None

    def items(self, *, expected: str) -> list["Value"] | None:
        """Read a list; an empty value is an empty list, None a reported fault."""
        if not self._is(yaml.SequenceNode, expected):
            return [] if self.node.tag == NULL else None
        return [self._at(f"{self.path}[{i}]", node) for i, node in enumerate(self.node.value)]

    def entries(self) -> list[tuple["Value", "Value"]]:
        """Read a mapping as pairs of key and value; an empty value is an empty mapping."""
        if not self._is(yaml.MappingNode, "keys with values"):
            return []
        lines: dict[str, int] = {}
        pairs = []
        for key_node, value_node in self.node.value:
            key = self._key(key_node)
            if key is None:
                continue
            if (name := key.node.value) in lines:
                key.fault(f"is set twice, first in line {lines[name]}; keep one of the two")
                continue
            lines[name] = key_node.start_mark.line + 1
            pairs.append((key, self._at(key.path, value_node)))
        return pairs

    def mapping(self, known: Sequence[str]) -> dict[str, "Value"]:
        """Read a mapping whose keys must be among ``known``."""
        found = {}
        for key, value in self.entries():
            name = key.node.value
            if name in known:
                found[name] = value
            else:
                key.fault(f"unknown key; {_nearest(name, known)}")
        return found

    def _at(self, path: str, node: yaml.Node) -> "Value":
        return Value(path, node, self.text_of_file, self.faults)

    def _key(self, node: yaml.Node) -> "Value | None":
        """Give the key with its own path; None if it is none. A quoted << is no merge key."""
        if node.tag == REPORTED:
            return None
        key = self._at(self.path, node)
        if node.tag != STR:
            key.fault(f"a key is {key.description}; write text, in quotes if it looks otherwise")
        elif key.raw == "<<":
            key.fault("merge keys (<<) are not read; write the keys out")
        else:
            name = node.value if node.value and is_printable(node.value) else show(node.value)
            return self._at(f"{self.path}.{name[:_SHOWN]}" if self.path else name[:_SHOWN], node)
        return None

    def _is(self, kind: type[yaml.Node], expected: str) -> bool:
        if isinstance(self.node, kind):
            return True
        if self.node.tag != NULL:
            self._mismatch(expected)
        return False

    def _scalar(self, tag: str, *, expected: str) -> str | None:
        if self.node.tag == tag:
            return str(self.node.value)
        self._mismatch(expected)
        return None

    def _mismatch(self, expected: str) -> None:
        if self.node.tag != REPORTED:
            self.fault(f"is {self.description}; write {expected}")

    @property
    def description(self) -> str:
        """What the node is, for a message."""
        if isinstance(self.node, yaml.SequenceNode):
            return "a list"
        if isinstance(self.node, yaml.MappingNode):
            return "a mapping"
        if self.node.tag == NULL:
            return "empty"
        shown = show(self.node.value)
        return shown if self.node.tag == STR else shown.strip("'")


def read(text: str) -> tuple[Value | None, list[Fault]]:
    """Read one YAML document.

    Returns the root, None if the document is empty or unreadable, and the list of faults, to
    which the readers of the root and all below it add theirs. Raises nothing.
    """
    node, faults = compose(text)
    return Value("", node, text, faults) if node else None, faults


def write_text(text: str) -> str:
    """Write printable text so that it reads back as text, quoted if it must be."""
    return text if _PLAIN.fullmatch(text) else "'{}'".format(text.replace("'", "''"))


def write_literal(name: str) -> str:
    """Write a key so that it stands in the file as it is, plain or in quotes.

    Raises ValueError if there is no such way; a name that was read so always has one.
    """
    for candidate in (name, f"'{name}'", f'"{name}"') if is_printable(name) else ():
        root, _ = read(f"x:\n  {candidate}:\n")
        keys = [key.node.value for key, _ in root.mapping(["x"])["x"].entries()] if root else []
        if keys == [name]:
            return candidate
    raise ValueError(f"cannot be written as it is: {name!r}")


def _nearest(name: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches  # only a faulty file needs it

    near = get_close_matches(name[:_SHOWN], known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
