"""``performance:`` of one guest in the configuration file: nodes -> frozen values. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from vfiod.config.keys import from_keys, key, names
from vfiod.config.yaml_nodes import Value, show, write_text
from vfiod.util import cpulist

AUTO = 0  # as many huge pages as the guest's memory needs
NEAR = "near"
# Documentation/admin-guide/mm/transhuge.rst
TRANSPARENT_MODES = ("always", "madvise", "never")

_NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")
_SIZE = re.compile(r"([1-9][0-9]{0,6})(GiB|MiB)?", re.ASCII)
_UNITS = {None: 2**30, "GiB": 2**30, "MiB": 2**20}


def _cpus(value: Value) -> frozenset[int]:
    expected = "a list of CPUs as lscpu -e numbers them, like 0-1,12-13"
    text = value.plain(expected=expected)
    if text is None:
        return frozenset()
    try:
        return cpulist.parse(text) or _no_cpus(value, expected)
    except ValueError:
        value.fault(f"{show(text)} is no list of CPUs; write {expected}")
        return frozenset()


def _no_cpus(value: Value, expected: str) -> frozenset[int]:
    value.fault(f"no CPUs; write {expected}")
    return frozenset()


def _name(what: str) -> Callable[[Value], str | None]:
    def read(value: Value) -> str | None:
        expected = f"{what}, like performance"
        text = value.text(expected=expected)
        if text is None or _NAME.fullmatch(text):
            return text
        value.fault(f"{show(text)} is no name; write {expected}")
        return None

    return read


def _near(value: Value) -> bool:
    return value.choice([NEAR]) == NEAR


def _transparent(value: Value) -> str | None:
    return value.choice(TRANSPARENT_MODES)


def _hugepages(value: Value) -> int | None:
    expected = "auto, or a size like 8GiB"
    text = value.plain(expected=expected)
    if text is None:
        return None
    if text == "auto":
        return AUTO
    match = _SIZE.fullmatch(text)
    if match is None:
        value.fault(f"{show(text)} is no size; write {expected}")
        return None
    return int(match[1]) * _UNITS[match[2]]


@dataclass(frozen=True, slots=True)
class Performance:
    """What is set for as long as the guest runs. Whatever is None or empty is left alone.

    ``host_cpus``: the CPUs that remain for the host's programs. ``governor`` and ``energy``: for
    the guest's CPUs. ``hugepages``: bytes, or AUTO. ``irqs_near``: new interrupts go to the
    guest's CPUs.
    """

    host_cpus: frozenset[int] = key(_cpus, default=frozenset())
    governor: str | None = key(_name("the name of a CPU frequency governor"), default=None)
    energy: str | None = key(_name("the name of an energy preference"), default=None)
    hugepages: int | None = key(_hugepages, default=None)
    irqs_near: bool = key(_near, default=False, name="irqs")
    transparent_hugepages: str | None = key(_transparent, default=None)


NOTHING = Performance()
PERFORMANCE_KEYS = names(Performance)


def read_performance(value: Value) -> Performance:
    """Read the mapping; its faults are reported with their place in the file."""
    keys = value.mapping(PERFORMANCE_KEYS)
    found = from_keys(Performance, keys)
    if found.irqs_near and "host_cpus" not in keys:
        text = "needs host_cpus; write the CPUs that the host keeps, the others get these"
        keys["irqs"].fault(text)
    return found


def write_performance(performance: Performance) -> list[str]:
    """The section as lines of YAML; nothing if no key is set."""
    cpus, size = cpulist.write(performance.host_cpus), performance.hugepages
    rows = {
        "host_cpus": f"'{cpus}'" if cpus else None,
        "governor": performance.governor and write_text(performance.governor),
        "energy": performance.energy and write_text(performance.energy),
        "hugepages": "auto" if size == AUTO else size and f"{size // 2**20}MiB",
        "irqs": NEAR if performance.irqs_near else None,
        "transparent_hugepages": performance.transparent_hugepages,
    }
    lines = [f"  {key}: {text}" for key, text in rows.items() if text]
    return ["performance:", *lines] if lines else []
