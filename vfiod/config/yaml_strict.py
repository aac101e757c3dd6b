"""YAML text -> PyYAML's node graph, and a list of all that vfiod does not read in YAML.

Strict where YAML 1.1 and PyYAML are lenient: no anchors, tags or second documents, and only
true, false, null and decimal numbers are anything but text, so that an unquoted
``0000:01:00.0`` is not a number of base 60. Faults are collected; nothing here raises.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20

BOOL = "tag:yaml.org,2002:bool"
FLOAT = "tag:yaml.org,2002:float"
NULL = "tag:yaml.org,2002:null"
STR = "tag:yaml.org,2002:str"
REPORTED = "reported"  # the tag of a node whose fault is in the list already


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong; line and column count from 1."""

    line: int
    column: int
    text: str


class _Loader(yaml.SafeLoader):
    """PyYAML's composer, with the lenient half of YAML reported instead of followed."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.faults: list[Fault] = []
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            self.get_event()  # type: ignore[no-untyped-call]
            self.report(event, f"alias *{str(event.anchor)[:40]}; write the value out")
            mark: Any = event.start_mark
            return yaml.ScalarNode(REPORTED, "", mark, mark)
        self._strip(event)
        if self._depth == MAX_DEPTH:
            problem = f"nested deeper than {MAX_DEPTH} levels"
            raise yaml.MarkedYAMLError(None, None, problem, event.start_mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def _strip(self, event: Any) -> None:
        """Report an anchor or a tag and go on as if it were not there."""
        if event.anchor is not None:
            self.report(event, f"anchor &{event.anchor[:40]}; write the value where it is needed")
            event.anchor = None
        if event.tag is not None:
            self.report(event, f"tag {event.tag[:40]!r}; leave it out")
            if isinstance(event, yaml.ScalarEvent):
                event.implicit = (event.tag != STR, True)
            event.tag = None

    def report(self, event: Any, what: str) -> None:
        """Add a fault at the place of ``event``."""
        mark = event.start_mark
        self.faults.append(Fault(mark.line + 1, mark.column + 1, what))


_Loader.yaml_implicit_resolvers = {}  # not those of YAML 1.1


def _resolve(tag: str, pattern: str, first: Sequence[str]) -> None:
    """Read plain text that matches ``pattern`` and begins with one of ``first`` as ``tag``."""
    _Loader.add_implicit_resolver(tag, re.compile(rf"(?:{pattern})\Z"), first)


_resolve(BOOL, "true|false", "tf")
_resolve(NULL, "null|~|", ["n", "~", ""])
_resolve(
    FLOAT,
    r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan",
    "-+.0123456789",
)


def compose(text: str) -> tuple[yaml.Node | None, list[Fault]]:
    """Read one YAML document.

    Returns the root node, None if the document is empty or unreadable, and all the faults.
    Raises nothing: PyYAML lets ValueError out for some escapes and version numbers.
    """
    if len(text.encode(errors="replace")) > MAX_BYTES:
        return None, [Fault(1, 1, f"larger than {MAX_BYTES // 1024} KiB; shorten it")]
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        return None, [_unreadable(text, error)]
    try:
        return _only_document(loader), loader.faults
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or loader.get_mark()
        what = f"{error.problem} {error.context or ''}"
    except (ValueError, OverflowError):
        mark, what = loader.get_mark(), "an escape or a version that is out of range"
    hint = "check indentation (spaces, no tabs), colons and quotes here"
    fault = Fault(mark.line + 1, mark.column + 1, f"{' '.join(what.split())}; {hint}")
    return None, [*loader.faults, fault]


def _only_document(loader: _Loader) -> yaml.Node | None:
    root = loader.get_node() if loader.check_node() else None
    if loader.check_node():
        event: Any = loader.peek_event()  # type: ignore[no-untyped-call]
        loader.report(event, "a second document; keep one, without ---")
    return root


def _unreadable(text: str, error: yaml.reader.ReaderError) -> Fault:
    before = text[: error.position]
    column = len(before) - before.rfind("\n")
    what = f"character U+{ord(text[error.position]):04X} is not allowed in YAML; remove it"
    return Fault(before.count("\n") + 1, column, what)
