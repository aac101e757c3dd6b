"""Edits of a domain's tree as values: what should stand where, whatever stands there now.

Applying an edit twice is the same as applying it once.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from vfiod.guest import tree

# The order libvirt writes these in, so that a new one stands where libvirt will put it.
ORDER = (
    "name", "uuid", "genid", "title", "description", "metadata", "maxMemory", "memory",
    "currentMemory", "blkiotune", "memtune", "memoryBacking", "vcpu", "vcpus", "iothreads",
    "iothreadids", "defaultiothread", "cputune", "numatune", "resource", "sysinfo", "bootloader",
    "os", "idmap", "features", "cpu", "clock", "on_poweroff", "on_reboot", "on_crash",
    "on_lockfailure", "pm", "perf", "devices", "launchSecurity", "keywrap", "seclabel",
    # in <features>
    "acpi", "apic", "hyperv", "kvm",
    # in <cputune>
    "vcpupin", "emulatorpin", "iothreadpin", "vcpusched",
    # in <cpu>
    "topology", "cache", "feature", "numa",
)  # fmt: skip

# libvirt gives these out by itself; a person does not miss them.
_GIVEN_OUT = ("address", "alias")
# What tells an element from its like.
_IDENTITIES = ("name", "vcpu", "iothread", "dev")

_STEP = re.compile(r"(\w+)((?:\[@\w+='[^']*'\])*)(\[[0-9]+\])?")
_PREDICATE = re.compile(r"\[@(\w+)='([^']*)'\]")


@dataclass(frozen=True, slots=True)
class Put:
    """The element at ``path`` exists and has these attributes (None: does not have it) and text.

    A path is ElementPath's: ``cputune/vcpupin[@vcpu='0']``, ``devices/disk[2]/driver``. What is
    missing is made, except by its number.
    """

    path: str
    attributes: Mapping[str, str | None] = field(default_factory=dict)
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """No element is at ``path``."""

    path: str


Edit = Put | Drop


def apply(root: Any, edits: Iterable[Edit]) -> None:
    """Change the tree."""
    for edit in edits:
        if isinstance(edit, Drop):
            for element in root.findall(edit.path):
                tree.remove(element)
        else:
            _put(root, edit)


def overridden(root: Any, edits: Iterable[Edit]) -> list[str]:
    """What stands there now and would be lost, as a person would write it: ``cpu mode='custom'``.

    An element that only gains something is not named.
    """
    lost: list[str] = []
    for edit in edits:
        if isinstance(edit, Drop):
            found = [e for e in root.findall(edit.path) if e.tag not in _GIVEN_OUT]
            lost += [_shown(element, element.keys()) for element in found]
        else:
            element = root.find(edit.path)
            lost += [] if element is None else _lost(element, edit)
    return lost


def _put(root: Any, edit: Put) -> None:
    element = root
    for step in _steps(edit.path):
        found = element.find(step)
        element = _make(element, step) if found is None else found
    for name, value in edit.attributes.items():
        if value is None:
            element.attrib.pop(name, None)
        else:
            element.set(name, value)
    if edit.text is not None:
        element.text = edit.text


def _steps(path: str) -> list[str]:
    return [match[0] for match in _STEP.finditer(path)]


def _make(parent: Any, step: str) -> Any:
    match = _STEP.fullmatch(step)
    if match is None or match[3]:
        raise ValueError(f"there is no {step!r}, and it cannot be made")
    child = etree.Element(match[1], dict(_PREDICATE.findall(match[2])))
    earlier = [e for e in parent.iterchildren("*") if _rank(e.tag) <= _rank(match[1])]
    if earlier or not len(parent):
        tree.insert(parent, child, after=earlier[-1] if earlier else None)
    else:
        tree.insert_first(parent, child)
    return child


def _rank(tag: Any) -> int:
    return ORDER.index(tag) if tag in ORDER else len(ORDER)


def _lost(element: Any, edit: Put) -> list[str]:
    changed = [n for n, v in edit.attributes.items() if n in element.attrib and element.get(n) != v]
    texts = edit.text is not None and (element.text or "").strip() != edit.text
    return [_shown(element, changed)] if changed or texts else []


def _shown(element: Any, names: Iterable[str]) -> str:
    """The tag, the attributes that identify it, those of ``names``, and the text."""
    wanted = {*names, *_IDENTITIES}
    shown = [name for name in element.attrib if name in wanted]
    own = [str(element.tag), *(f"{name}='{element.get(name)}'" for name in shown)]
    return " ".join(own) + (f": {element.text.strip()}" if (element.text or "").strip() else "")
