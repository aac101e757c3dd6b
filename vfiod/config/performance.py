"""``performance:`` of one guest in the configuration file: nodes -> frozen values. Pure."""

import re
from dataclasses import dataclass

from vfiod.config.yaml_nodes import Value, show, write_text
from vfiod.util import cpulist

PERFORMANCE_KEYS = (
    "host_cpus", "governor", "energy", "hugepages", "irqs", "transparent_hugepages",
)  # fmt: skip

AUTO = 0  # as many huge pages as the guest's memory needs
NEAR = "near"
# Documentation/admin-guide/mm/transhuge.rst
TRANSPARENT_MODES = ("always", "madvise", "never")

_NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")
_SIZE = re.compile(r"([1-9][0-9]{0,6})(GiB|MiB)?", re.ASCII)
_UNITS = {None: 2**30, "GiB": 2**30, "MiB": 2**20}


@dataclass(frozen=True, slots=True)
class Performance:
    """What is set for as long as the guest runs. Whatever is None or empty is left alone.

    ``host_cpus``: the CPUs that remain for the host's programs. ``governor`` and ``energy``: for
    the guest's CPUs. ``hugepages``: bytes, or AUTO. ``irqs_near``: new interrupts go to the
    guest's CPUs.
    """

    host_cpus: frozenset[int] = frozenset()
    governor: str | None = None
    energy: str | None = None
    hugepages: int | None = None
    irqs_near: bool = False
    transparent_hugepages: str | None = None


NOTHING = Performance()


def read_performance(value: Value | None) -> Performance:
    """Read the mapping; its faults are reported with their place in the file."""
    keys = value.mapping(PERFORMANCE_KEYS) if value else {}
    irqs, transparent = keys.get("irqs"), keys.get("transparent_hugepages")
    irqs_near = irqs is not None and irqs.choice([NEAR]) == NEAR
    if irqs and irqs_near and "host_cpus" not in keys:
        irqs.fault("needs host_cpus; write the CPUs that the host keeps, the others get these")
    return Performance(
        host_cpus=_cpus(keys.get("host_cpus")),
        governor=_name(keys.get("governor"), "the name of a CPU frequency governor"),
        energy=_name(keys.get("energy"), "the name of an energy preference"),
        hugepages=_hugepages(keys.get("hugepages")),
        irqs_near=irqs_near,
        transparent_hugepages=transparent.choice(TRANSPARENT_MODES) if transparent else None,
    )


def _cpus(value: Value | None) -> frozenset[int]:
    expected = "a list of CPUs as lscpu -e numbers them, like 0-1,12-13"
    text = value.plain(expected=expected) if value else None
    if value is None or text is None:
        return frozenset()
    try:
        return cpulist.parse(text) or _no_cpus(value, expected)
    except ValueError:
        value.fault(f"{show(text)} is no list of CPUs; write {expected}")
        return frozenset()


def _no_cpus(value: Value, expected: str) -> frozenset[int]:
    value.fault(f"no CPUs; write {expected}")
    return frozenset()


def _name(value: Value | None, what: str) -> str | None:
    expected = f"{what}, like performance"
    text = value.text(expected=expected) if value else None
    if value is None or text is None or _NAME.fullmatch(text):
        return text
    value.fault(f"{show(text)} is no name; write {expected}")
    return None


def _hugepages(value: Value | None) -> int | None:
    expected = "auto, or a size like 8GiB"
    text = value.plain(expected=expected) if value else None
    if value is None or text is None:
        return None
    if text == "auto":
        return AUTO
    match = _SIZE.fullmatch(text)
    if match is None:
        value.fault(f"{show(text)} is no size; write {expected}")
        return None
    return int(match[1]) * _UNITS[match[2]]


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
